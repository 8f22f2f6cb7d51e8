import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { ArtifactCorruptError, ArtifactMissingError } from './errors.js';
import type { ArtifactStore } from './port.js';

/** What every artifact store must do. `damage` changes the stored bytes behind the store's back. */
export function describeArtifactStore(
  name: string,
  open: () => Promise<{ store: ArtifactStore; reopen(): ArtifactStore; damage(hash: string): Promise<void> }>,
): void {
  describe(`artifact store: ${name}`, () => {
    it('gives back what was put, to another store over the same place too', async () => {
      const { store, reopen } = await open();
      await fc.assert(
        fc.asyncProperty(fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), async (files) => {
          const ref = await store.putFiles('release', files);
          expect(await reopen().getFiles(ref)).toEqual(files);
        }),
        { numRuns: 50 },
      );
      const ref = await store.putJson('plan', { b: [1, null, 'ü'], a: 0.1 });
      expect(await reopen().getJson(ref)).toEqual({ a: 0.1, b: [1, null, 'ü'] });
    });

    it('gives equal content one reference, whatever the order of its keys, and other content another', async () => {
      const { store } = await open();
      const [first, again, other] = await Promise.all([
        store.putJson('plan', { a: 1, b: 2 }),
        store.putJson('plan', { b: 2, a: 1 }),
        store.putJson('plan', { a: 1, b: 3 }),
      ]);
      expect(again).toEqual(first);
      expect(other.hash).not.toBe(first.hash);
      expect(first).toEqual({ kind: 'plan', hash: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: 13 });
    });

    it('finds an artifact by its hash alone', async () => {
      const { store, reopen } = await open();
      const { hash } = await store.putJson('release', { 'edge-1': { 'dyn/lds.yaml': 'a: 1\n' } });
      const found = await reopen().getJson({ kind: 'release', hash, bytes: 0 });
      expect(found).toEqual({ 'edge-1': { 'dyn/lds.yaml': 'a: 1\n' } });
    });

    it('says when it does not have an artifact', async () => {
      const { store } = await open();
      const ref = { kind: 'plan', hash: 'ab'.repeat(32), bytes: 1 };
      await expect(store.getJson(ref)).rejects.toThrow(ArtifactMissingError);
      await expect(store.getFiles(ref)).rejects.toThrow(/not in the artifact store/);
    });

    it('never hands out damaged bytes, and is mended by putting the content again', async () => {
      const { store, damage } = await open();
      const ref = await store.putFiles('release', { 'dyn/lds.yaml': 'a: 1\n' });
      await damage(ref.hash);
      await expect(store.getFiles(ref)).rejects.toThrow(ArtifactCorruptError);
      await store.putFiles('release', { 'dyn/lds.yaml': 'a: 1\n' });
      expect(await store.getFiles(ref)).toEqual({ 'dyn/lds.yaml': 'a: 1\n' });
    });

    it('takes many writers of the same content at once', async () => {
      const { store } = await open();
      const refs = await Promise.all(Array.from({ length: 20 }, () => store.putJson('plan', { same: true })));
      expect(new Set(refs.map((ref) => ref.hash)).size).toBe(1);
      expect(await store.getJson(refs[0] ?? { kind: '', hash: '', bytes: 0 })).toEqual({ same: true });
    });

    it('refuses a reference that names another place', async () => {
      const { store } = await open();
      await expect(store.getJson({ kind: 'plan', hash: '../../etc/passwd', bytes: 1 })).rejects.toThrow(
        /no artifact hash/,
      );
    });
  });
}
