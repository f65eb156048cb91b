// What one version wants that another does not.

/** What was added, what was taken away, and what else is not the same. */
export function differences(before, after) {
  return {
    imports: sides(before.imports, after.imports),
    hosts: sides(wishes(before), wishes(after)),
    others: [
      other("Tier", before.tier, after.tier),
      other("Version of its author", before.manifest?.version, after.manifest?.version),
      other("SDK", before.manifest?.sdk, after.manifest?.sdk),
      other("Contract", before.manifest?.wit, after.manifest?.wit),
      other("Degrading", before.manifest?.degrade, after.manifest?.degrade),
      other("Configuration", stable(before.manifest?.config), stable(after.manifest?.config)),
    ].filter(Boolean),
  };
}

/** The hosts that a version wishes to call. */
export function wishes(version) {
  return version.manifest?.hosts ?? [];
}

function sides(before, after) {
  return {
    added: after.filter((one) => !before.includes(one)),
    removed: before.filter((one) => !after.includes(one)),
  };
}

function other(what, before, after) {
  return before === after ? null : { what, before: before ?? "none", after: after ?? "none" };
}

function stable(value) {
  return value === undefined ? undefined : JSON.stringify(value);
}
