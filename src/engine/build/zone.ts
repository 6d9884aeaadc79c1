/** Begins the zones of builds. Nobody else's containers share a guest with a build's commands. */
export const BUILD_ZONE = 'nest-build-';

/** A guest that a build left, because its engine was killed. */
export const isBuildZone = (zone: string): boolean => new RegExp(`^${BUILD_ZONE}[0-9a-f]{12}$`).test(zone);
