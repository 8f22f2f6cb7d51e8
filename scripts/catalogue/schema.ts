import type { Node as AnyNode, Symbol as Declared, Type, TypeNode } from 'ts-morph';
import { Node } from 'ts-morph';
import { CatalogueError, docsOf } from './source.js';

/** JSON Schema, draft 2020-12. */
export interface JsonSchema {
  $schema?: string;
  $id?: string;
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  title?: string;
  description?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | false;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  allOf?: JsonSchema[];
  if?: JsonSchema;
  then?: JsonSchema;
  else?: JsonSchema;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  examples?: unknown[];
}

export const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

/**
 * A whole schema for one type of the sources. Named types become `$defs`; further properties are allowed, as the
 * workflows allow them, so that a newer sender or reader harms nobody.
 */
export function schemaDocument(id: string, title: string, node: TypeNode): JsonSchema {
  const writer = new SchemaWriter();
  const body = writer.inline(node);
  const { description = '', ...rest } = body;
  return {
    $schema: DRAFT,
    $id: id,
    title,
    ...(description === '' ? {} : { description }),
    ...rest,
    ...writer.definitions(),
  };
}

class SchemaWriter {
  private readonly defs = new Map<string, JsonSchema>();

  definitions(): { $defs?: Record<string, JsonSchema> } {
    const sorted = [...this.defs].sort(([a], [b]) => (a < b ? -1 : 1));
    return sorted.length === 0 ? {} : { $defs: Object.fromEntries(sorted) };
  }

  /** The outermost type, written out instead of referred to. */
  inline(node: TypeNode): JsonSchema {
    const type = node.getType();
    const name = nameOfType(type);
    if (name === undefined) return this.ofNode(node);
    // Reserved, so that a type which refers to itself does not go round for ever.
    if (this.defs.has(name)) throw new CatalogueError(`"${name}" refers to itself`);
    return described(this.structure(type, node), docsOfType(type));
  }

  /** By the way it is written where possible: `Trust | null` keeps its name then. */
  private ofNode(node: TypeNode): JsonSchema {
    if (Node.isParenthesizedTypeNode(node)) return this.ofNode(node.getTypeNode());
    if (Node.isUnionTypeNode(node)) return union(node.getTypeNodes().map((part) => this.ofNode(part)));
    return this.ofType(node.getType(), node);
  }

  private ofType(type: Type, at: AnyNode): JsonSchema {
    const name = nameOfType(type);
    if (name === undefined) return this.structure(type, at);
    if (!this.defs.has(name)) {
      this.defs.set(name, {});
      this.defs.set(name, described(this.structure(type, at), docsOfType(type)));
    }
    return { $ref: `#/$defs/${name}` };
  }

  private structure(type: Type, at: AnyNode): JsonSchema {
    const written = writtenUnion(type);
    if (written !== undefined) return union(written.map((part) => this.ofNode(part)));
    const simple = primitive(type);
    if (simple !== undefined) return simple;
    if (type.isUnion()) {
      const parts = type.getUnionTypes().filter((part) => !part.isUndefined());
      return union(parts.map((part) => this.ofType(part, at)));
    }
    if (type.isArray() || type.isReadonlyArray()) {
      return { type: 'array', items: this.ofType(type.getArrayElementTypeOrThrow(), at) };
    }
    if (type.isObject() || type.isIntersection()) return this.object(type, at);
    throw unreadable(type, at);
  }

  private object(type: Type, at: AnyNode): JsonSchema {
    if (type.getCallSignatures().length > 0 || type.isTuple()) throw unreadable(type, at);
    const values = type.getStringIndexType();
    const properties: Record<string, JsonSchema> = {};
    const required: string[] = [];
    for (const property of type.getProperties()) {
      properties[property.getName()] = this.property(property, at);
      if (!property.isOptional()) required.push(property.getName());
    }
    return {
      type: 'object',
      ...(Object.keys(properties).length === 0 ? {} : { properties }),
      ...(required.length === 0 ? {} : { required }),
      ...(values === undefined ? {} : { additionalProperties: this.ofType(values, at) }),
    };
  }

  private property(property: Declared, at: AnyNode): JsonSchema {
    const [declaration] = property.getDeclarations();
    if (!Node.isPropertySignature(declaration)) return this.ofType(property.getTypeAtLocation(at), at);
    const written = declaration.getTypeNode();
    const schema =
      written === undefined ? this.ofType(property.getTypeAtLocation(at), declaration) : this.ofNode(written);
    return described(schema, docsOf(declaration));
  }
}

/** The parts of a named union as they are written: the compiler's own order depends on what it read first. */
function writtenUnion(type: Type): TypeNode[] | undefined {
  const alias = declarationOf(type);
  const node = Node.isTypeAliasDeclaration(alias) ? alias.getTypeNode() : undefined;
  return Node.isUnionTypeNode(node) ? node.getTypeNodes() : undefined;
}

function primitive(type: Type): JsonSchema | undefined {
  if (type.isUnknown()) return {};
  if (type.isString()) return { type: 'string' };
  if (type.isNumber()) return { type: 'number' };
  if (type.isBoolean()) return { type: 'boolean' };
  if (type.isNull()) return { type: 'null' };
  if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.getLiteralValueOrThrow() };
  if (type.isBooleanLiteral()) return { const: type.getText() === 'true' };
  return undefined;
}

/** Literals become one `enum`, plain types one list; what is left stays side by side. */
function union(parts: readonly JsonSchema[]): JsonSchema {
  const literals = parts.flatMap((part) => ('const' in part ? [part.const] : (part.enum ?? [])));
  const both = literals.includes(true) && literals.includes(false);
  const values = both ? literals.filter((value) => typeof value !== 'boolean') : literals;
  const plain = parts.filter((part) => Object.keys(part).length === 1 && typeof part.type === 'string');
  const types = [...new Set([...plain.map((part) => part.type as string), ...(both ? ['boolean'] : [])])];
  const [type = ''] = types;
  const rest = parts.filter((part) => !('const' in part) && part.enum === undefined && !plain.includes(part));
  const onlyNull = types.length === 1 && type === 'null' && values.length > 0;
  const all: JsonSchema[] = [
    ...rest,
    ...(values.length === 0 ? [] : [{ enum: onlyNull ? [...values, null] : values }]),
    ...(types.length === 0 || onlyNull ? [] : [{ type: types.length === 1 ? type : types }]),
  ];
  const [single] = all;
  return all.length === 1 && single !== undefined ? single : { anyOf: all };
}

function described(schema: JsonSchema, description: string): JsonSchema {
  return description === '' ? schema : { ...schema, description };
}

/** Alias or interface of the project; `undefined` for what is anonymous or the language's own (`Record`, `Omit`). */
function nameOfType(type: Type): string | undefined {
  const declaration = declarationOf(type);
  return declaration === undefined ? undefined : declaration.getName();
}

export function docsOfType(type: Type): string {
  return docsOf(declarationOf(type));
}

function declarationOf(type: Type): ReturnType<typeof namedDeclaration> {
  const symbols = [type.getAliasSymbol(), type.getSymbol()];
  for (const symbol of symbols) {
    const found = namedDeclaration(symbol?.getDeclarations()[0]);
    if (found !== undefined && found.getTypeParameters().length === 0) return found;
  }
  return undefined;
}

function namedDeclaration(
  node: AnyNode | undefined,
): (AnyNode & Parameters<typeof docsOf>[0] & { getName(): string; getTypeParameters(): AnyNode[] }) | undefined {
  if (!Node.isInterfaceDeclaration(node) && !Node.isTypeAliasDeclaration(node)) return undefined;
  return node.getSourceFile().isDeclarationFile() ? undefined : node;
}

function unreadable(type: Type, at: AnyNode): CatalogueError {
  const where = `${at.getSourceFile().getBaseName()}:${at.getStartLineNumber()}`;
  return new CatalogueError(`${where}: type "${type.getText(at)}" has no JSON Schema`);
}
