/**
 * What to say about keys that Compose knows and nest does not take: a silently ignored key is worse than an error.
 * https://github.com/compose-spec/compose-spec/blob/main/05-services.md
 */
export interface Refusal {
  what: string;
  advice: string;
}

export function serviceRefusal(key: string): Refusal | undefined {
  return SERVICE.get(key) ?? (SERVICE_NOT_YET.has(key) ? notYet() : undefined);
}

/** Of a network, or of a service's place in one. */
export function networkRefusal(key: string): Refusal | undefined {
  return NETWORK_NOT_YET.has(key) ? notYet() : undefined;
}

export function topLevelRefusal(key: string): Refusal | undefined {
  return TOP_LEVEL.get(key);
}

function notYet(consequence?: string, advice = 'remove the key'): Refusal {
  return { what: consequence === undefined ? NOT_YET : `${NOT_YET}: ${consequence}`, advice };
}

function refused(why: string, advice = 'remove the key'): Refusal {
  return { what: `refused: ${why}`, advice };
}

const NOT_YET = 'not supported yet';

const SERVICE = new Map<string, Refusal>([
  ['build', notYet(undefined, 'build the image elsewhere, load it with `nest image load` and name it with image')],
  ['links', notYet('services find each other by name without it', 'remove the key, give other names as aliases')],
  ['depends_on', notYet('services start in the order of the file', 'remove the key and order the services')],
  ['env_file', notYet(undefined, 'move the variables to environment, or to .env and name them in environment')],
  ['deploy', notYet(undefined, 'use mem_limit and cpus for limits, restart for the restart policy')],
  ['scale', notYet('a service is one container', 'remove the key, or write one service for each container')],
  ['extends', notYet(undefined, 'use a YAML anchor and `<<`')],
  ['use_api_socket', refused('whoever reaches the engine owns the host')],
  ['pid', refused('containers share no process tree, neither with each other nor with the guest')],
  ['ipc', refused('containers share no memory segments, neither with each other nor with the guest')],
  ['uts', refused('each container has a hostname of its own')],
  ['userns_mode', refused('the guest is the boundary, and its settings are its own')],
]);

const SERVICE_NOT_YET = new Set(
  `annotations attach cgroup cgroup_parent configs cpu_count cpu_percent cpu_period
  cpu_quota cpu_rt_period cpu_rt_runtime credential_spec develop device_cgroup_rules
  external_links gpus isolation label_file mac_address
  mem_swappiness models oom_kill_disable platform post_start pre_stop profiles
  provider pull_policy runtime secrets volumes_from`.split(/\s+/),
);

const NETWORK_NOT_YET = new Set(
  `driver_opts options ip_range aux_addresses ipv6_address link_local_ips mac_address interface_name priority
  gw_priority`.split(/\s+/),
);

const TOP_LEVEL = new Map<string, Refusal>([
  ['secrets', notYet()],
  ['configs', notYet()],
  ['models', notYet()],
  ['include', notYet(undefined, 'write the services into one file')],
]);
