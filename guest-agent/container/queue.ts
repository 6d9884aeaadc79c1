/** Runs actions one after another, in the order they were handed in; a failed one does not stop the next. */
export function serialQueue(): <T>(action: () => Promise<T> | T) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (action) => {
    const result = last.then(action);
    last = result.catch(() => {});
    return result;
  };
}
