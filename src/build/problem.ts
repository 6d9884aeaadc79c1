/** What a build's author can mend; the instruction and its line are added where they are known. */
export class BuildProblem extends Error {
  override readonly name = 'BuildProblem';
}
