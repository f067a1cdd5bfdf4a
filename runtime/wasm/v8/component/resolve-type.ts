import { MalformedBinary } from "../../binary.ts";
import { listCodec, tupleCodec } from "./aggregate-codec.ts";
import type { ComponentCall, FunctionType } from "./canonical.ts";
import { largeType, spell } from "./codec.ts";
import type { Codec } from "./codec.ts";
import type { Primitive, TypeDefinition, ValueRef } from "./definition.ts";
import type { Instantiation } from "./instance.ts";
import { checkLabel } from "./label.ts";
import { borrowCodec, ownCodec } from "./resource.ts";
import type { ResourceType } from "./handle-table.ts";
import { scalarCodecs } from "./scalar-codec.ts";
import { createScope, lookUp } from "./scope.ts";
import type { Item, Scope, Type } from "./scope.ts";
import { textCodec } from "./text-codec.ts";
import { enumCodec, flagsCodec, variantCodec } from "./variant-codec.ts";

/** What the host puts in the place of imported interfaces; names are with versions, as the component has them. */
export interface ImportedInterfaces {
  resource(interfaceName: string, name: string): ResourceType;
  /** The host's function of that name. Throws when it has it with another signature. */
  func(interfaceName: string, name: string, signature: string): ComponentCall;
}

/** A type definition with what it names in its scope. */
export function resolveType(scope: Scope, definition: TypeDefinition): Type {
  switch (definition.is) {
    case "function":
      return { is: "function", type: functionType(scope, definition) };
    case "resource":
      return resourceType(scope, definition.destructor);
    case "instance":
      return { is: "instance", declarations: definition.declarations, scope };
    case "component":
      return { is: "component" };
    default:
      return { is: "value", codec: valueCodec(scope, definition) };
  }
}

function functionType(
  scope: Scope,
  { params, result }: Extract<TypeDefinition, { is: "function" }>,
): FunctionType {
  const codecs = params.map(([, ref]) => codecOf(scope, ref));
  const resultCodec = result === null ? undefined : codecOf(scope, result);
  const parameters = codecs.map(({ signature }) => signature);
  return {
    params: tupleCodec(codecs),
    result: resultCodec,
    lends: parameters.some((it) => it.includes("borrow<") || it.includes(largeType)),
    signature: spell("(", parameters, resultCodec ? `) -> ${resultCodec.signature}` : ")"),
  };
}

function resourceType(scope: Scope, destructor: number | null): Type {
  const resource: ResourceType = { name: `resource ${scope.type.length}`, owner: scope.number };
  const core = destructor === null ? undefined : lookUp(scope.core.func, destructor, "core function");
  return {
    is: "resource",
    resource,
    destroy:
      core &&
      ((instantiation, representation) => (core(instantiation) as (it: unknown) => void)(representation)),
  };
}

function valueCodec(scope: Scope, definition: TypeDefinition): Codec {
  switch (definition.is) {
    case "primitive":
      return primitive(definition.of);
    case "record":
      return tupleCodec(
        definition.fields.map(([, ref]) => codecOf(scope, ref)),
        definition.fields.map(([name]) => name),
      );
    case "tuple":
      return tupleCodec(definition.of.map((ref) => codecOf(scope, ref)));
    case "list":
      return listCodec(codecOf(scope, definition.of));
    case "flags":
      return flagsCodec(definition.labels);
    case "enum":
      return enumCodec(definition.labels);
    case "variant":
      return variant(scope, definition.cases);
    case "option": {
      const some = codecOf(scope, definition.of);
      return variantCodec(spell("option<", [some.signature], ">"), [undefined, some]);
    }
    case "result":
      return result(scope, definition.ok, definition.err);
    case "own":
      return ownCodec(resourceOf(scope, definition.resource));
    case "borrow":
      return borrowCodec(resourceOf(scope, definition.resource));
    default:
      throw new MalformedBinary(`it uses a type of ${definition.is} as a value's`);
  }
}

function variant(scope: Scope, cases: readonly (readonly [string, ValueRef | null])[]): Codec {
  const codecs = cases.map(([, ref]) => optional(scope, ref));
  const spelt = cases.map(([name], index) => spell(name, payloadOf(codecs[index]), ""));
  return variantCodec(spell("variant{", spelt, "}"), codecs);
}

function payloadOf(codec: Codec | undefined): readonly string[] {
  return codec === undefined ? [] : [`(${codec.signature})`];
}

function result(scope: Scope, ok: ValueRef | null, err: ValueRef | null): Codec {
  const codecs = [optional(scope, ok), optional(scope, err)];
  const [good = "_", bad = "_"] = codecs.map((codec) => codec?.signature);
  const spelt = ok === null && err === null ? "result" : spell("result<", [good, bad], ">");
  return variantCodec(spelt, codecs);
}

function optional(scope: Scope, ref: ValueRef | null): Codec | undefined {
  return ref === null ? undefined : codecOf(scope, ref);
}

function codecOf(scope: Scope, ref: ValueRef): Codec {
  if (typeof ref === "string") return primitive(ref);
  const type = lookUp(scope.type, ref, "type");
  if (type.is !== "value") throw new MalformedBinary(`it uses a type of ${type.is} as a value's`);
  return type.codec;
}

function primitive(name: Primitive): Codec {
  return name === "string" ? textCodec : scalarCodecs[name];
}

function resourceOf(scope: Scope, index: number): ResourceType {
  const type = lookUp(scope.type, index, "type");
  if (type.is !== "resource") throw new MalformedBinary("it has handles of what is no resource type");
  return type.resource;
}

/** The host hears of a handle that a guest drops, where it wants to. */
function dispose(_: Instantiation, representation: unknown): void {
  (representation as Partial<Disposable>)[Symbol.dispose]?.();
}

/** The exports of an imported instance: types as it declares them, resources and functions of the host. */
export function declareInstance(
  { declarations, scope }: Extract<Type, { is: "instance" }>,
  name: string,
  interfaces: ImportedInterfaces,
): ReadonlyMap<string, Item> {
  const local = createScope(scope, scope.number);
  const exports = new Map<string, Item>();
  const addType = (type: Type, exported?: string): void => {
    local.type.push(type);
    if (exported !== undefined) exports.set(exported, { is: "type", type });
  };
  for (const declaration of declarations) {
    if (declaration.is === "type") addType(resolveType(local, declaration.type));
    else if (declaration.is === "alias outer" && declaration.sort === "type") {
      let from: Scope | undefined = local;
      for (let left = declaration.outward; left > 0 && from !== undefined; left--) from = from.parent;
      addType(lookUp(from?.type ?? [], declaration.index, "type"));
    } else if (declaration.is === "export") {
      const { item } = declaration;
      if (item.is === "type") addType(lookUp(local.type, item.equals, "type"), declaration.name);
      else if (item.is === "resource") {
        checkLabel(declaration.name);
        addType(
          { is: "resource", resource: interfaces.resource(name, declaration.name), destroy: dispose },
          declaration.name,
        );
      } else if (item.is === "func") {
        const type = lookUp(local.type, item.type, "type");
        if (type.is !== "function")
          throw new MalformedBinary(`${name} declares a function of what is no function type`);
        const call = interfaces.func(name, declaration.name, type.type.signature);
        exports.set(declaration.name, { is: "func", type: type.type, call });
      } else throw new MalformedBinary(`${name} declares a ${item.is}, which this engine does not provide`);
    } else throw new MalformedBinary(`${name} has a declaration that this engine does not support`);
  }
  return exports;
}
