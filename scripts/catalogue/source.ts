import { existsSync } from 'node:fs';
import path from 'node:path';
import type { CallExpression, Expression, JSDocableNode, SourceFile, VariableDeclaration } from 'ts-morph';
import { Node, Project, ScriptTarget, ts } from 'ts-morph';

/** The sources say something that the catalogue cannot tell truthfully; the message names what and where. */
export class CatalogueError extends Error {
  override readonly name = 'CatalogueError';
}

/** Rooms whose types the workflows use. Everything else, packages included, stays unresolved and is never needed. */
const ROOMS = ['core', 'activities', 'workflows'];

/** Opens the workflows of a project with the types they import, without its packages: reading takes a second. */
export function openSources(root: string): Sources {
  const project = new Project({
    skipAddingFilesFromTsConfig: true,
    compilerOptions: { target: ScriptTarget.ES2023, strict: true, lib: ['lib.es2023.d.ts'], types: [] },
    resolutionHost: () => ({
      resolveModuleNames: (names, from) => names.map((name) => resolveRelative(root, name, from)),
    }),
  });
  const files = ['workflows/**/*.ts', 'activities/*.ts', 'core/spec/{lifecycle,settings}.ts', 'cli/region.ts'];
  project.addSourceFilesAtPaths([
    ...files.map((file) => path.posix.join(root, file)),
    `!${path.posix.join(root, '**/*.test.ts')}`,
  ]);
  return new Sources(root, project);
}

function resolveRelative(root: string, name: string, from: string): ts.ResolvedModuleFull | undefined {
  if (!name.startsWith('.')) return undefined;
  const resolvedFileName = path.resolve(path.dirname(from), name.replace(/\.js$/, '.ts'));
  const [room = ''] = path.relative(root, resolvedFileName).split(path.sep);
  if (!ROOMS.includes(room) || !existsSync(resolvedFileName)) return undefined;
  return { resolvedFileName, extension: ts.Extension.Ts };
}

export class Sources {
  readonly root: string;
  private readonly project: Project;

  constructor(root: string, project: Project) {
    this.root = root;
    this.project = project;
  }

  file(relative: string): SourceFile {
    const found = this.project.getSourceFile(path.join(this.root, relative));
    if (found === undefined) throw new CatalogueError(`there is no ${relative}`);
    return found;
  }

  /** Files of a room or folder, in the order of their names. */
  under(folder: string): SourceFile[] {
    const prefix = `${folder}/`;
    const files = this.project.getSourceFiles().filter((file) => this.relative(file).startsWith(prefix));
    return files.sort((a, b) => (this.relative(a) < this.relative(b) ? -1 : 1));
  }

  relative(file: SourceFile): string {
    return path.relative(this.root, file.getFilePath()).split(path.sep).join('/');
  }
}

export function variable(file: SourceFile, name: string): VariableDeclaration {
  return file.getVariableDeclaration(name) ?? missing(file, name);
}

function missing(file: SourceFile, name: string): never {
  throw new CatalogueError(`${file.getBaseName()} no longer declares "${name}"`);
}

export function required<T>(found: T | undefined, file: SourceFile, name: string): T {
  return found ?? missing(file, name);
}

export function calls(node: Node): CallExpression[] {
  const found: CallExpression[] = [];
  node.forEachDescendant((inner) => {
    if (Node.isCallExpression(inner)) found.push(inner);
  });
  return found;
}

/** `f` of `f(x)` and of `a.b.f(x)`. */
export function calleeName(call: CallExpression): string {
  const callee = call.getExpression();
  return Node.isPropertyAccessExpression(callee) ? callee.getName() : callee.getText();
}

export function isText(node: Node | undefined): node is Node & { getLiteralText(): string } {
  return Node.isStringLiteral(node) || Node.isNoSubstitutionTemplateLiteral(node);
}

export type Literal = string | number | boolean | null | Literal[] | { [key: string]: Literal };

/** The value of an expression that is written out, or an error that names it. */
export function literal(node: Expression | undefined): Literal {
  if (node === undefined) throw new CatalogueError('a value is missing');
  if (isText(node)) return node.getLiteralText();
  if (Node.isNumericLiteral(node)) return node.getLiteralValue();
  if (Node.isTrueLiteral(node)) return true;
  if (Node.isFalseLiteral(node)) return false;
  if (Node.isNullLiteral(node)) return null;
  if (Node.isArrayLiteralExpression(node)) return node.getElements().map(literal);
  if (Node.isAsExpression(node) || Node.isSatisfiesExpression(node)) return literal(node.getExpression());
  if (Node.isIdentifier(node)) {
    const [declared] = node.getSymbol()?.getDeclarations() ?? [];
    if (Node.isVariableDeclaration(declared)) return literal(declared.getInitializer());
  }
  if (Node.isObjectLiteralExpression(node)) {
    return Object.fromEntries(
      node.getProperties().map((property) => {
        if (!Node.isPropertyAssignment(property)) throw notLiteral(property);
        return [nameOf(property.getNameNode()), literal(property.getInitializer())];
      }),
    );
  }
  throw notLiteral(node);
}

function notLiteral(node: Node): CatalogueError {
  const at = `${node.getSourceFile().getBaseName()}:${node.getStartLineNumber()}`;
  return new CatalogueError(`${at}: "${node.getText()}" is not written out, so it cannot be listed`);
}

/** A property's name as it is at run time, without quotes. */
export function nameOf(node: Node): string {
  return isText(node) ? node.getLiteralText() : node.getText();
}

/** Docstring as one paragraph a block, without the asterisks. */
export function docsOf(node: JSDocableNode | undefined): string {
  const docs = node?.getJsDocs() ?? [];
  return docs.map((doc) => doc.getDescription().trim()).join('\n\n');
}
