import type Database from 'libsql';
import { canonicalTags } from '../aggregate.js';

export interface Series {
  id: number;
  tags: Readonly<Record<string, string>>;
}

/** Numbers for series and field names. They are never given again, so what was read once stays true. */
export interface Names {
  seriesId(measurement: string, tags: Readonly<Record<string, string>>): number;
  fieldIds(names: readonly string[]): readonly number[];
  /** After a rollback: what was added in the transaction is not in the file. */
  forget(): void;
  /** Series that have every tag named, in the order of their numbers. */
  series(measurement: string, tags: Readonly<Record<string, string>>): Series[];
  /** The numbers of those names that exist. */
  knownFields(names: readonly string[]): ReadonlySet<number>;
  fieldNames(): ReadonlyMap<number, string>;
}

export function createNames(db: Database.Database): Names {
  const addSeries = db.prepare('INSERT INTO series (measurement, tags) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const findSeries = db.prepare('SELECT id FROM series WHERE measurement = ? AND tags = ?');
  const listSeries = db.prepare('SELECT id, tags FROM series WHERE measurement = ? ORDER BY id');
  const addField = db.prepare('INSERT INTO fields (name) VALUES (?) ON CONFLICT DO NOTHING');
  const findField = db.prepare('SELECT id FROM fields WHERE name = ?');
  const listFields = db.prepare('SELECT id, name FROM fields');
  const seriesIds = new Map<string, number>();
  const fieldIds = new Map<string, readonly number[]>();

  return {
    seriesId(measurement, tags) {
      // As given, not in the order of names: to sort costs more than to remember each order that comes.
      const key = JSON.stringify([measurement, tags]);
      let id = seriesIds.get(key);
      if (id !== undefined) return id;
      const canonical = canonicalTags(tags);
      addSeries.run(measurement, canonical);
      id = (findSeries.get(measurement, canonical) as { id: number }).id;
      seriesIds.set(key, id);
      return id;
    },
    fieldIds(names) {
      const key = JSON.stringify(names);
      let ids = fieldIds.get(key);
      if (ids !== undefined) return ids;
      ids = names.map((name) => {
        addField.run(name);
        return (findField.get(name) as { id: number }).id;
      });
      fieldIds.set(key, ids);
      return ids;
    },
    forget() {
      seriesIds.clear();
      fieldIds.clear();
    },
    series(measurement, tags) {
      const wanted = Object.entries(tags);
      return (listSeries.all(measurement) as { id: number; tags: string }[])
        .map((found) => ({ id: found.id, tags: JSON.parse(found.tags) as Record<string, string> }))
        .filter((found) => wanted.every(([name, value]) => found.tags[name] === value));
    },
    knownFields: (names) =>
      new Set(
        names.flatMap((name) => {
          const found = findField.get(name) as { id: number } | undefined;
          return found === undefined ? [] : [found.id];
        }),
      ),
    fieldNames: () => new Map((listFields.all() as { id: number; name: string }[]).map(({ id, name }) => [id, name])),
  };
}
