// What is wrong with the directory that Sluice writes and HAProxy loads, as failures.

import { Failure } from '../../../../base/failure.ts';
import { diskFailure, isCode } from '../../../../base/system-error.ts';

export function directoryFailure(error: unknown, directory: string): unknown {
  if (isCode(error, 'ENOENT', 'ENOTDIR')) {
    return new Failure('router.setup', 'The directory for Sluice’s part of HAProxy’s configuration does not exist.', {
      at: directory,
      remedy: `Make it, writable for Sluice, and start HAProxy with \`-f ${directory}\` as its last \`-f\`.`,
      cause: error,
    });
  }
  if (isCode(error, 'EACCES', 'EPERM', 'EROFS')) {
    return new Failure('router.access', 'Sluice may not write its part of HAProxy’s configuration.', {
      at: directory,
      remedy: 'Give this directory to the user that Sluice runs as; HAProxy only reads it.',
      cause: error,
    });
  }
  return diskFailure(error, directory);
}
