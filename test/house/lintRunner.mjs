// Lints the sources given on stdin ([{ file, text, typed? }]) under the project's own rules and prints [{ file, rules }].
// A program of its own: ESLint loads its configuration by a query on the file's address, which jest's loader refuses.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const root = path.resolve(import.meta.dirname, '..', '..');
const samples = JSON.parse(await text(process.stdin));
const typed = samples.filter((sample) => sample.typed === true).map(({ file }) => file);
const notOnDisk = [...new Set(typed)].filter((file) => !existsSync(path.join(root, file)));

const withTypes = new ESLint({
  cwd: root,
  overrideConfig: {
    files: ['**/*.ts'],
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: notOnDisk, defaultProject: 'tsconfig.json' } },
    },
  },
});
// Most rules look at the text alone; building the types of the whole project for them would take most of the time.
const withoutTypes = new ESLint({
  cwd: root,
  overrideConfig: { files: ['**/*.ts'], ...tseslint.configs.disableTypeChecked },
});

const found = [];
for (const sample of samples) {
  const eslint = sample.typed === true ? withTypes : withoutTypes;
  const [result] = await eslint.lintText(sample.text, { filePath: path.join(root, sample.file) });
  found.push({ file: sample.file, rules: result.messages.map((m) => m.ruleId ?? m.message) });
}
console.log(JSON.stringify(found));
