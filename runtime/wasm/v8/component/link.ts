import { MalformedBinary } from "../../binary.ts";
import { liftFunction, lowerFunction, resourceFunction } from "./canonical.ts";
import type {
  CanonOptions,
  ComponentDefinition,
  Declaration,
  Definition,
  ExternDefinition,
  NamedItem,
  Sort,
} from "./definition.ts";
import type { CanonSite, CoreExports, Instantiation, Late } from "./instance.ts";
import { createScope, itemOf, lookUp } from "./scope.ts";
import type { CoreInstance, FunctionItem, InstanceItem, Item, Scope } from "./scope.ts";
import { declareInstance, resolveType } from "./resolve-type.ts";
import type { ImportedInterfaces } from "./resolve-type.ts";

/** A component, linked: what an instantiation does, in order, and what it then exports. */
export interface LinkedComponent {
  readonly steps: readonly ((instantiation: Instantiation) => void)[];
  readonly exports: ReadonlyMap<string, Item>;
}

interface Linker {
  readonly steps: ((instantiation: Instantiation) => void)[];
  readonly interfaces: ImportedInterfaces;
  componentInstances: number;
  coreInstances: number;
  definitions: number;
}

/**
 * Definitions in all of a component's instances, with the parts of each: nesting multiplies them, and a small binary
 * can come to very many.
 */
const mostDefinitions = 200_000;

/**
 * Resolves all names and indices of a component once, so that an instantiation only walks through a list. Throws
 * MalformedBinary where the component does not fit together, and what `interfaces` throws for what it imports.
 */
export function linkComponent(
  component: ComponentDefinition,
  interfaces: ImportedInterfaces,
): LinkedComponent {
  const linker: Linker = { steps: [], interfaces, componentInstances: 0, coreInstances: 0, definitions: 0 };
  return { exports: instantiate(linker, component, undefined, undefined), steps: linker.steps };
}

/** Instantiates a component with `args`, or the outermost one with the host's interfaces. */
function instantiate(
  linker: Linker,
  { definitions }: ComponentDefinition,
  parent: Scope | undefined,
  args: ReadonlyMap<string, Item> | undefined,
): ReadonlyMap<string, Item> {
  count(linker, definitions);
  const scope = createScope(parent, linker.componentInstances++);
  const exports = new Map<string, Item>();
  for (const definition of definitions) define(linker, scope, definition, args, exports);
  return exports;
}

/** Counts what is about to be resolved, before it is. */
function count(linker: Linker, definitions: readonly (Definition | Declaration)[]): void {
  linker.definitions++;
  for (const definition of definitions) {
    const parts = Object.values("type" in definition ? (definition.type as object) : definition);
    linker.definitions += parts.reduce((sum, it) => sum + (Array.isArray(it) ? it.length : 0), 1);
    if (linker.definitions > mostDefinitions) {
      throw new MalformedBinary(`its instances have more than ${mostDefinitions} definitions together`);
    }
  }
}

function define(
  linker: Linker,
  scope: Scope,
  definition: Definition,
  args: ReadonlyMap<string, Item> | undefined,
  exports: Map<string, Item>,
): void {
  switch (definition.is) {
    case "core module":
      return void scope.core.module.push(definition.module);
    case "core instance":
      return void scope.core.instance.push(coreInstance(linker, scope, definition));
    case "core exports":
      return void scope.core.instance.push(inlineCoreInstance(scope, definition.exports));
    case "component":
      return void scope.component.push({ is: "component", component: definition.component, scope });
    case "instance":
      return void scope.instance.push(instance(linker, scope, definition));
    case "exports":
      return void scope.instance.push({ is: "instance", exports: namedItems(scope, definition.exports) });
    case "alias export": {
      const found = lookUp(scope.instance, definition.instance, "instance").exports.get(definition.name);
      return add(scope, definition.sort, found, `an instance has no export ${definition.name}`);
    }
    case "alias core export": {
      const from = lookUp(scope.core.instance, definition.instance, "core instance");
      return addCore(scope, definition.sort, (instantiation) => from(instantiation)[definition.name]);
    }
    case "alias outer":
      return aliasOuter(scope, definition.sort, definition.outward, definition.index);
    case "type":
      return void scope.type.push(resolveType(scope, definition.type));
    case "lift":
      return void scope.func.push(lift(scope, definition));
    case "lower": {
      const { type, call } = lookUp(scope.func, definition.func, "function");
      return void scope.core.func.push(lowerFunction(type, canonSite(scope, definition.options), call));
    }
    case "resource":
      return void scope.core.func.push(resource(scope, definition));
    case "import":
      return addImport(linker, scope, definition, args);
    case "export": {
      const item = itemOf(scope, definition.sort, definition.index);
      if (exports.has(definition.name)) {
        throw new MalformedBinary(`it exports ${definition.name} twice`);
      }
      exports.set(definition.name, item);
      return add(scope, definition.sort, item, "an export names nothing");
    }
  }
}

function coreInstance(
  linker: Linker,
  scope: Scope,
  { module, args }: Extract<Definition, { is: "core instance" }>,
): CoreInstance {
  const number = lookUp(scope.core.module, module, "core module");
  const slot = linker.coreInstances++;
  const imports = args.map(
    ([name, index]) => [name, lookUp(scope.core.instance, index, "core instance")] as const,
  );
  linker.steps.push((instantiation) => {
    const namespaces: Record<string, CoreExports> = Object.create(null);
    for (const [name, from] of imports) namespaces[name] = from(instantiation);
    instantiation.core[slot] = instantiation.instantiate(number, namespaces);
  });
  return ({ core }) => core[slot] ?? (Object.create(null) as CoreExports);
}

function inlineCoreInstance(scope: Scope, exports: readonly NamedItem[]): CoreInstance {
  const items = exports.map(
    ([name, sort, index]) => [name, lookUp(coreSpace(scope, sort), index, sort)] as const,
  );
  return (instantiation) => {
    const namespace: Record<string, unknown> = Object.create(null);
    for (const [name, item] of items) namespace[name] = item(instantiation);
    return namespace;
  };
}

function instance(
  linker: Linker,
  scope: Scope,
  { component, args }: Extract<Definition, { is: "instance" }>,
): InstanceItem {
  const item = lookUp(scope.component, component, "component");
  return {
    is: "instance",
    exports: instantiate(linker, item.component, item.scope, namedItems(scope, args)),
  };
}

function namedItems(scope: Scope, items: readonly NamedItem[]): ReadonlyMap<string, Item> {
  return new Map(items.map(([name, sort, index]) => [name, itemOf(scope, sort, index)]));
}

function lift(scope: Scope, { func, type, options }: Extract<Definition, { is: "lift" }>): FunctionItem {
  const core = lookUp(scope.core.func, func, "core function");
  const resolved = lookUp(scope.type, type, "type");
  if (resolved.is !== "function")
    throw new MalformedBinary("it lifts a function to what is no function type");
  const postReturn =
    options.postReturn === undefined
      ? undefined
      : lookUp(scope.core.func, options.postReturn, "core function");
  return {
    is: "func",
    type: resolved.type,
    call: liftFunction(resolved.type, canonSite(scope, options), core, postReturn),
  };
}

function canonSite(scope: Scope, { encoding, memory, realloc }: CanonOptions): CanonSite {
  return {
    instance: scope.number,
    encoding,
    memory: memory === undefined ? undefined : lookUp(scope.core.memory, memory, "core memory"),
    realloc: realloc === undefined ? undefined : lookUp(scope.core.func, realloc, "core function"),
  };
}

function resource(scope: Scope, { operation, type }: Extract<Definition, { is: "resource" }>): Late<unknown> {
  const resolved = lookUp(scope.type, type, "type");
  if (resolved.is !== "resource")
    throw new MalformedBinary("it handles resources of what is no resource type");
  return resourceFunction(operation, resolved.resource, resolved.destroy, scope.number);
}

function coreSpace(scope: Scope, sort: Sort): Late<unknown>[] {
  if (sort === "core func") return scope.core.func;
  if (sort === "core memory") return scope.core.memory;
  if (sort === "core table") return scope.core.table;
  if (sort === "core global") return scope.core.global;
  throw new MalformedBinary(`it uses an item of sort ${sort} where this engine takes none`);
}

function addCore(scope: Scope, sort: Sort, item: Late<unknown>): void {
  coreSpace(scope, sort).push(item);
}

/** Adds an item to the index space of its sort. */
function add(scope: Scope, sort: Sort, item: Item | undefined, otherwise: string): void {
  if (item?.is === "func" && sort === "func") scope.func.push(item);
  else if (item?.is === "instance" && sort === "instance") scope.instance.push(item);
  else if (item?.is === "component" && sort === "component") scope.component.push(item);
  else if (item?.is === "type" && sort === "type") scope.type.push(item.type);
  else throw new MalformedBinary(item === undefined ? otherwise : `it uses a ${item.is} as a ${sort}`);
}

function aliasOuter(scope: Scope, sort: Sort, outward: number, index: number): void {
  let from: Scope | undefined = scope;
  for (let left = outward; left > 0 && from !== undefined; left--) from = from.parent;
  if (from === undefined) throw new MalformedBinary("it names something outside of itself");
  if (sort === "core module") scope.core.module.push(lookUp(from.core.module, index, sort));
  // Core types are not looked at.
  else if (sort !== "core type") add(scope, sort, itemOf(from, sort, index), "");
}

function addImport(
  linker: Linker,
  scope: Scope,
  { name, item }: Extract<Definition, { is: "import" }>,
  args: ReadonlyMap<string, Item> | undefined,
): void {
  if (args !== undefined) {
    // Of a nested component: what it was given, whatever it is declared to be like.
    return add(scope, sortOf(item), args.get(name), `a component is instantiated without its import ${name}`);
  }
  if (item.is === "instance") {
    const type = lookUp(scope.type, item.type, "type");
    if (type.is !== "instance")
      throw new MalformedBinary(`the import ${name} is declared by what is no instance type`);
    count(linker, type.declarations);
    scope.instance.push({ is: "instance", exports: declareInstance(type, name, linker.interfaces) });
  } else if (item.is === "type") {
    scope.type.push(lookUp(scope.type, item.equals, "type"));
  } else throw new MalformedBinary(`it imports the ${item.is} ${name}, which this engine does not provide`);
}

function sortOf({ is }: ExternDefinition): Sort {
  return is === "resource" ? "type" : is;
}
