// What a reference to an image names, however it is written: engines write one name in several ways.

const hubDomain = 'docker.io';

/** Under this `docker login` keeps the credentials of Docker Hub, whichever of its names was given. */
const hubKey = 'https://index.docker.io/v1/';

/** Without tag and digest; a colon before the last slash belongs to the registry's port. */
export function repositoryOf(reference: string): string {
  const [named = ''] = reference.split('@');
  const slash = named.lastIndexOf('/');
  const colon = named.indexOf(':', slash + 1);
  return colon === -1 ? named : named.slice(0, colon);
}

/** The registry as `docker login` calls it. */
export function registryOf(reference: string): string {
  const { domain } = parted(repositoryOf(reference));
  return domain === hubDomain ? hubKey : domain;
}

/** Whether an engine that has an image under the first name means the second one by it; both without tag. */
export function isSameRepository(had: string, asked: string): boolean {
  const [left, right] = [parted(had), parted(asked)];
  if (left.domain === right.domain && left.path === right.path) return true;
  // Podman's name for what was built on the machine under a name without registry.
  return had === `localhost/${asked}`;
}

/** The part before the first slash is a registry where it has a dot, a colon or a capital in it, or is `localhost`. */
function parted(repository: string): { readonly domain: string; readonly path: string } {
  const slash = repository.indexOf('/');
  const first = slash === -1 ? '' : repository.slice(0, slash);
  const named = first === 'localhost' || /[.:A-Z]/.test(first);
  const path = named ? repository.slice(slash + 1) : repository;
  const domain = named && first !== `index.${hubDomain}` ? first : hubDomain;
  return { domain, path: domain === hubDomain && !path.includes('/') ? `library/${path}` : path };
}
