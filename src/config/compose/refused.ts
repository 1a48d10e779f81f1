// What a Compose file can say and Sluice cannot honour, each with its reason.

const sameForAll = 'instances of several releases run side by side, and it can be given to one container only';
const rights = 'it takes the walls between containers and the machine away';
const notYet = 'Sluice cannot pass it on';

/** Keys of a service; what is neither here nor read is unknown to Compose as well. */
export const refusedKeys: Readonly<Record<string, string>> = {
  annotations: notYet,
  blkio_config: notYet,
  cgroup: rights,
  cgroup_parent: notYet,
  container_name: sameForAll,
  cpu_count: notYet,
  cpu_percent: notYet,
  cpu_period: 'write cpus instead',
  cpu_quota: 'write cpus instead',
  cpu_rt_period: notYet,
  cpu_rt_runtime: notYet,
  cpuset: notYet,
  credential_spec: notYet,
  device_cgroup_rules: notYet,
  devices: notYet,
  dns_opt: notYet,
  domainname: sameForAll,
  extends: 'Sluice reads one service from one file',
  external_links: 'write networks instead',
  gpus: notYet,
  hostname: sameForAll,
  ipc: rights,
  isolation: notYet,
  label_file: notYet,
  links: 'write networks instead',
  mac_address: sameForAll,
  mem_swappiness: notYet,
  models: notYet,
  oom_kill_disable: notYet,
  oom_score_adj: notYet,
  pid: rights,
  post_start: notYet,
  pre_stop: notYet,
  provider: notYet,
  runtime: notYet,
  stdin_open: 'nobody types into an instance',
  storage_opt: notYet,
  use_api_socket: rights,
  userns_mode: notYet,
  uts: rights,
  volumes_from: 'write volumes instead',
};

/** Keys that Compose itself does not pass to a container, or that Sluice does in its own way. */
export const heededElsewhere: ReadonlySet<string> = new Set(['attach', 'build', 'develop', 'profiles', 'restart']);
