export function packagesInStep(root: string): boolean;
export function linkOwnBin(root: string): void;
export function ensurePackages(root: string, say: (line: string) => void): Promise<void>;
