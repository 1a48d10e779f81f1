// Every failure code with its meaning, its usual remedy and the exit code of the CLI; docs/reference/failures.md is made from this table.

/** Exit codes of the CLI, by name; docs/reference/cli.md is made from this table. */
export const exitCodes = {
  done: { code: 0, meaning: 'Done.' },
  wentBack: {
    code: 1,
    meaning: 'The deployment failed and went back: all traffic is on the release that was stable before.',
  },
  usage: { code: 2, meaning: 'Wrong usage or configuration; nothing was changed.' },
  waiting: { code: 3, meaning: 'Waiting for a person: a pause, or a stage that must be promoted by hand.' },
  locked: { code: 4, meaning: 'Another deployment of this service and environment is under way.' },
  needsPerson: {
    code: 5,
    meaning: 'FAILED: Sluice could not bring it to a safe end by itself; the output says what a person must do.',
  },
  unavailable: {
    code: 6,
    meaning: 'Something that Sluice needs did not work: the store, a disk, a socket, the server.',
  },
} as const;

export type ExitName = keyof typeof exitCodes;

interface CatalogueEntry {
  readonly exit: ExitName;
  readonly meaning: string;
  readonly remedy: string;
}

const entry = (exit: ExitName, meaning: string, remedy: string): CatalogueEntry => ({ exit, meaning, remedy });

/** code → meaning, usual remedy, exit code. Codes are `area.problem` and never change their meaning. */
export const failureCatalogue = {
  // deciding and running a deployment
  'deployment.locked': entry(
    'locked',
    'Another deployment holds the lock of this service and environment.',
    'Wait for it, or look with `sluice status`; `sluice abort` ends it.',
  ),
  'deployment.unknown': entry(
    'usage',
    'There is no deployment with this id.',
    'List deployments with `sluice history`.',
  ),
  'service.unknown': entry(
    'usage',
    'Nothing was ever deployed for this service and environment.',
    'List what there is with `sluice status`.',
  ),
  'deployment.none': entry(
    'usage',
    'No deployment is under way for this service and environment.',
    'Look with `sluice status`.',
  ),
  'deployment.command': entry(
    'usage',
    'The deployment is not in a state that takes this command.',
    'Look at its state with `sluice status`.',
  ),
  'deployment.deadline': entry(
    'wentBack',
    'A step did not finish before its deadline.',
    'Look at `sluice logs`; raise the timeout if the service really needs longer.',
  ),
  'plan.changed': entry(
    'usage',
    'What is running changed between the plan and the deployment.',
    'Run `sluice plan` again.',
  ),
  'plan.unsupported': entry(
    'usage',
    'The plan needs something that the configured driver cannot do.',
    'Choose another driver or remove the setting that is named.',
  ),
  'rollback.nothing': entry(
    'usage',
    'There is no earlier release to go back to.',
    'Look at `sluice history`; deploy a release with `sluice deploy`.',
  ),
  'release.unknown': entry(
    'usage',
    'No such release of this service was ever deployed here.',
    'List releases with `sluice history`.',
  ),
  'release.gone': entry(
    'usage',
    'The files of this release are no longer in the release store.',
    'Deploy it again from its source.',
  ),
  'release.missing': entry(
    'usage',
    'The release directory does not exist or is not a directory, or there is no such image.',
    'Build it first, or correct `release.directory` or `release.image`.',
  ),
  'release.empty': entry(
    'usage',
    'The release directory has no files.',
    'Build it first, or correct `release.directory`.',
  ),
  'release.changed': entry(
    'usage',
    'The release directory changed while it was being read.',
    'Finish the build, then deploy again.',
  ),
  'release.collision': entry(
    'usage',
    'Another release with the same id is kept already.',
    'Change anything in the release, so that it gets another id, and deploy again.',
  ),
  'release.mutable': entry(
    'usage',
    'A moving tag or branch was given where a fixed release is needed.',
    'Name a digest or an immutable tag.',
  ),
  'release.unsupported': entry(
    'usage',
    'The release directory holds something that cannot be part of a release (a socket, a device, a link that leads outside), or the image is for another kind of machine.',
    'Remove what is named, or add it to `release.ignore`; build the image for the machine that runs it.',
  ),
  // instances
  'instance.crashed': entry('wentBack', 'An instance ended by itself.', 'Read its last lines with `sluice logs`.'),
  'instance.unhealthy': entry(
    'wentBack',
    'An instance did not become healthy in time.',
    'Check `health.path`, and the instance’s output with `sluice logs`.',
  ),
  'instance.command': entry('usage', 'The start command cannot be run.', 'Correct `release.command`.'),
  'instance.environment': entry(
    'usage',
    'A variable of the release’s environment cannot be read from where it refers to.',
    'Provide the file or variable that is named to the controller, or correct the reference.',
  ),
  'instance.stuck': entry(
    'unavailable',
    'An instance does not end, not even by force.',
    'Look at the process that is named; a disk or network mount that hangs is the usual reason.',
  ),
  'validation.failed': entry(
    'wentBack',
    'A validation check failed.',
    'Read the reasons; run `sluice validate` to try again by hand.',
  ),
  'confidence.low': entry(
    'wentBack',
    'The confidence score of the release on trial is too low.',
    'Read its factors in `sluice history show`, mend the weakest and deploy again; `sluice confidence` shows the score beforehand.',
  ),
  'gate.failed': entry(
    'wentBack',
    'The release on trial is worse than allowed.',
    'Read the evidence in `sluice history`, mend the release and deploy again.',
  ),
  // metric sources
  'metrics.unreachable': entry(
    'unavailable',
    'A metric source that gates need does not answer.',
    'Mend it, or take its queries out of `gates.queries` for this deployment.',
  ),
  'metrics.refused': entry(
    'usage',
    'A metric source does not take a query, or answers with something that is not one number.',
    'Correct the query or the source that is named; `sluice validate` asks again.',
  ),
  // platform
  'platform.unreachable': entry(
    'unavailable',
    'The container engine does not answer.',
    'Start it; Sluice tries again by itself while a deployment is under way.',
  ),
  'platform.denied': entry(
    'unavailable',
    'This user may not use the container engine.',
    'Run Sluice as a user of the group that owns the engine’s socket, or as root.',
  ),
  'platform.failed': entry(
    'unavailable',
    'The container engine could not do what it was asked.',
    'Read its own words in the message.',
  ),
  'platform.refused': entry(
    'usage',
    'The container engine refuses a container with these settings.',
    'Correct the setting that its words name.',
  ),
  'registry.failed': entry(
    'unavailable',
    'An image could not be fetched from its registry.',
    'Check the way to the registry, or load the image (`docker load`).',
  ),
  // router
  'router.unreachable': entry(
    'unavailable',
    'The router does not answer.',
    'Start it; `sluice server` starts the built-in proxy by itself.',
  ),
  'router.refused': entry('unavailable', 'The router refused the routes.', 'Read its own words in the message.'),
  'router.setup': entry(
    'usage',
    'The router is not set up in the way that Sluice needs.',
    'Do once what the message says; docs/drivers has a page for each router.',
  ),
  'router.access': entry(
    'usage',
    'Sluice lacks the rights to give the router its orders.',
    'Give this user the rights that the message names.',
  ),
  'router.stale': entry(
    'unavailable',
    'The routes are older than those that the router has.',
    'Another controller is at work; look with `sluice status`.',
  ),
  'router.include': entry(
    'usage',
    'The file that Sluice is to write for the router is not read by it, or is somebody else’s.',
    'Correct `router.nginx.include`, or have the router include that file.',
  ),
  'router.certificate': entry(
    'usage',
    'The certificate or the key of the proxy cannot be used.',
    'Correct the PEM files under `tls`.',
  ),
  'port.taken': entry(
    'usage',
    'The address is in use by another program.',
    'Stop that program or choose another port.',
  ),
  // configuration and usage
  'config.missing': entry('usage', 'There is no configuration file.', 'Write one with `sluice init`.'),
  'config.syntax': entry('usage', 'The configuration file is not valid YAML.', 'Correct the line that is named.'),
  'config.invalid': entry(
    'usage',
    'A setting is unknown, missing or has a wrong value.',
    'Correct the setting that is named; docs/reference/config.md lists all.',
  ),
  'report.invalid': entry(
    'usage',
    'A report or commit that `confidence` names is missing, or is not what it should be.',
    'Let the checks write it before `sluice deploy`, or correct its path under `confidence.reports`.',
  ),
  usage: entry('usage', 'The command line is wrong.', 'See `sluice --help`.'),
  'prompt.unavailable': entry(
    'usage',
    'A question would have to be asked, but nobody can answer it here.',
    'Give the answer as a flag.',
  ),
  // store, lease, server
  'store.corrupt': entry(
    'unavailable',
    'The store is damaged.',
    'Restore its file from a copy, or move it away to begin anew; instances and routes stay as they are.',
  ),
  'store.newer': entry(
    'unavailable',
    'The store was written by a newer version of Sluice.',
    'Use that version or a later one.',
  ),
  'store.full': entry(
    'unavailable',
    'The disk of the store is full.',
    'Free space; what was committed before is intact.',
  ),
  'store.unavailable': entry(
    'unavailable',
    'The store cannot be opened or written.',
    'Check the file’s path and permissions.',
  ),
  'store.conflict': entry('unavailable', 'Another writer changed the same deployment first.', 'Try again.'),
  'lease.lost': entry(
    'unavailable',
    'This controller no longer holds the lock of the service and environment.',
    'Look with `sluice status` who does.',
  ),
  'server.unreachable': entry(
    'unavailable',
    'The Sluice server does not answer.',
    'Start it with `sluice server`, or leave out `--server`.',
  ),
  'server.unauthorized': entry(
    'unavailable',
    'The server refused the token.',
    'Set SLUICE_TOKEN to the server’s token.',
  ),
  'server.token': entry(
    'usage',
    'A server that listens beyond loopback needs a token.',
    'Set SLUICE_TOKEN, or listen on 127.0.0.1.',
  ),
  'server.running': entry(
    'usage',
    'A Sluice server listens there already.',
    'Use that one; `sluice status` asks it. To begin anew, end it first.',
  ),
  'server.listen': entry(
    'usage',
    'The server cannot listen on this address.',
    'Choose another address or socket path.',
  ),
  'request.invalid': entry(
    'usage',
    'A request to the server is not as the contract says.',
    'Correct what is named; docs/reference/api.md lists all requests.',
  ),
  'request.refused': entry(
    'usage',
    'The server does not answer requests that come this way.',
    'Call it by its own address.',
  ),
  'server.version': entry(
    'unavailable',
    'The server speaks another version of the contract.',
    'Use the same version of Sluice on both sides.',
  ),
  'disk.full': entry('unavailable', 'The disk is full.', 'Free space, then try again.'),
  'disk.failed': entry('unavailable', 'A file could not be read or written.', 'Check the path and its permissions.'),
  internal: entry('unavailable', 'A defect of Sluice.', 'Run again with `--verbose` and report it with the output.'),
} as const satisfies Record<string, CatalogueEntry>;

export type FailureCode = keyof typeof failureCatalogue;
