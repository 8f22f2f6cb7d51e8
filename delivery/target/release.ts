import type { FileSet } from '../../core/spec/artifact.js';
import { sha256 } from '../../core/spec/hash.js';

/** What the script at the target checks a release against: SHA-256 of each file, by path. */
export interface ReleaseManifest {
  version: 1;
  release: string;
  files: Readonly<Record<string, string>>;
}

export function releaseManifest(release: string, files: FileSet): ReleaseManifest {
  const paths = Object.keys(files).sort();
  return { version: 1, release, files: Object.fromEntries(paths.map((path) => [path, sha256(files[path] ?? '')])) };
}

const RELEASE_PATH = /^(bootstrap\.yaml|validate\.yaml|dyn(\/[^/\0]+)+)$/;

/** The same rule as the script's own: a release has a bootstrap, its flattened form and files under dyn/. */
export function isReleasePath(path: string): boolean {
  return RELEASE_PATH.test(path) && !path.split('/').some((part) => part === '.' || part === '..');
}
