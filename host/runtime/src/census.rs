//! What a component consists of, counted before anything is validated or
//! compiled: each part is cheap to write and costs the host much more.

use serde::{Deserialize, Serialize};
use wasmparser::{FunctionBody, Imports, Operator, Payload, SectionLimited};

use crate::load_error::LoadError;

/// What is counted. All counts are of the whole component, with all that is
/// nested in it, but for those of a single function or name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Cap {
    Components,
    Depth,
    Modules,
    Instances,
    Types,
    Imports,
    Exports,
    Aliases,
    Adapters,
    CoreImports,
    CoreExports,
    CoreExportBytes,
    Functions,
    Tables,
    Memories,
    Globals,
    DataSegments,
    ElementSegments,
    CustomSections,
    FunctionBytes,
    Locals,
    BranchTargets,
    NameBytes,
}

impl Cap {
    /// Everything that is counted.
    pub const ALL: [Self; 23] = [
        Self::Components,
        Self::Depth,
        Self::Modules,
        Self::Instances,
        Self::Types,
        Self::Imports,
        Self::Exports,
        Self::Aliases,
        Self::Adapters,
        Self::CoreImports,
        Self::CoreExports,
        Self::CoreExportBytes,
        Self::Functions,
        Self::Tables,
        Self::Memories,
        Self::Globals,
        Self::DataSegments,
        Self::ElementSegments,
        Self::CustomSections,
        Self::FunctionBytes,
        Self::Locals,
        Self::BranchTargets,
        Self::NameBytes,
    ];

    /// How many there may be.
    pub fn most(self) -> u64 {
        self.row().1
    }

    /// What is wrong with more, for example `too many functions`.
    pub fn complaint(self) -> &'static str {
        self.row().0
    }

    /// What the author can do about it.
    pub fn advice(self) -> &'static str {
        self.row().2
    }

    /// What is wrong with more, how many there may be, and what to do. The
    /// figures are some times those of the largest interpreters.
    fn row(self) -> (&'static str, u64, &'static str) {
        const LIBRARIES: &str = "leave out libraries that it does not need";
        const FEWER: &str = "link it from fewer modules";
        const SPLIT: &str = "split the function";
        match self {
            Self::Components => ("too many nested components", 256, "compose it of fewer"),
            Self::Depth => ("components nested too deeply", 8, "compose it of fewer layers"),
            Self::Modules => ("too many core modules", 256, FEWER),
            Self::Instances => ("too many instances", 1_000, FEWER),
            Self::Types => ("too many types", 20_000, LIBRARIES),
            Self::Imports => ("too many imports", 2_000, "build it for the world `bot` of wit/v1"),
            Self::Exports => ("too many exports", 2_000, "build it for the world `bot` of wit/v1"),
            Self::Aliases => ("too many aliases", 50_000, FEWER),
            Self::Adapters => ("too many functions between its modules", 10_000, FEWER),
            Self::CoreImports => ("too many imports of core modules", 50_000, FEWER),
            // Each costs 320 bytes for as long as the component is linked. Those of
            // Python are 4,200 with 85 KB of names.
            Self::CoreExports => ("too many exports of core modules", 12_000, LIBRARIES),
            Self::CoreExportBytes => ("too long names of exports", 512 << 10, LIBRARIES),
            Self::Functions => ("too many functions", 100_000, LIBRARIES),
            Self::Tables => ("too many tables", 16, FEWER),
            Self::Memories => ("too many memories", 2, "link its modules to share one memory"),
            Self::Globals => ("too many globals", 50_000, LIBRARIES),
            Self::DataSegments => ("too many data segments", 50_000, LIBRARIES),
            Self::ElementSegments => ("too many element segments", 10_000, LIBRARIES),
            Self::CustomSections => ("too many custom sections", 1_000, "strip it"),
            Self::FunctionBytes => ("a function of too many bytes", 2 << 20, SPLIT),
            Self::Locals => ("a function with too many locals", 20_000, SPLIT),
            Self::BranchTargets => ("a `br_table` with too many targets", 20_000, SPLIT),
            Self::NameBytes => ("a name of too many bytes", 1_000, "shorten it"),
        }
    }
}

/// A linked version in memory, whatever is in it, in bytes.
const BASE_BYTES: u64 = 64 << 10;
/// And for each export and import of its modules.
const ENTRY_BYTES: u64 = 320;

/// Counts what was read so far.
#[derive(Debug, Default)]
pub(crate) struct Census([u64; Cap::ALL.len()]);

impl Census {
    /// Counts what a payload says. The first figure that is too large ends it,
    /// so that a component of a million parts is not read to its end.
    pub(crate) fn count(&mut self, payload: &Payload<'_>) -> Result<(), LoadError> {
        match payload {
            Payload::ModuleSection { .. } => self.add(Cap::Modules, 1),
            Payload::ComponentSection { .. } => self.add(Cap::Components, 1),
            Payload::TypeSection(section) => self.add(Cap::Types, section.count()),
            Payload::CoreTypeSection(section) => self.add(Cap::Types, section.count()),
            Payload::ComponentTypeSection(section) => self.add(Cap::Types, section.count()),
            Payload::InstanceSection(section) => self.add(Cap::Instances, section.count()),
            Payload::ComponentInstanceSection(section) => self.add(Cap::Instances, section.count()),
            Payload::ComponentAliasSection(section) => self.add(Cap::Aliases, section.count()),
            Payload::ComponentCanonicalSection(section) => self.add(Cap::Adapters, section.count()),
            Payload::ImportSection(section) => self.core_imports(section),
            Payload::ExportSection(section) => {
                self.add(Cap::CoreExports, section.count())?;
                section.clone().into_iter().try_for_each(|export| {
                    let name = export.map_err(LoadError::malformed)?.name;
                    self.name(name)?;
                    self.add(Cap::CoreExportBytes, u32::try_from(name.len()).unwrap_or(u32::MAX))
                })
            }
            Payload::ComponentImportSection(section) => {
                self.add(Cap::Imports, section.count())?;
                section.clone().into_iter().try_for_each(|import| {
                    self.name(import.map_err(LoadError::malformed)?.name.name)
                })
            }
            Payload::ComponentExportSection(section) => {
                self.add(Cap::Exports, section.count())?;
                section.clone().into_iter().try_for_each(|export| {
                    self.name(export.map_err(LoadError::malformed)?.name.name)
                })
            }
            Payload::FunctionSection(section) => self.add(Cap::Functions, section.count()),
            Payload::TableSection(section) => self.add(Cap::Tables, section.count()),
            Payload::MemorySection(section) => self.add(Cap::Memories, section.count()),
            Payload::GlobalSection(section) => self.add(Cap::Globals, section.count()),
            Payload::DataSection(section) => self.add(Cap::DataSegments, section.count()),
            Payload::ElementSection(section) => self.add(Cap::ElementSegments, section.count()),
            Payload::CustomSection(section) => {
                self.add(Cap::CustomSections, 1)?;
                self.name(section.name())
            }
            Payload::CodeSectionEntry(body) => self.function(body),
            // Either without a number, or refused by the features.
            _ => Ok(()),
        }
    }

    /// What a linked version takes in memory, about, in bytes: the host keeps the names
    /// of what its modules give each other.
    pub(crate) fn linked_bytes(&self) -> u64 {
        let [exports, names, imports] = [Cap::CoreExports, Cap::CoreExportBytes, Cap::CoreImports]
            .map(|cap| self.0[cap as usize]);
        BASE_BYTES + ENTRY_BYTES * (exports + imports) + names
    }

    /// So many components lie around what is read now.
    pub(crate) fn depth(&mut self, depth: usize) -> Result<(), LoadError> {
        self.largest(Cap::Depth, depth)
    }

    fn core_imports(&mut self, section: &SectionLimited<'_, Imports<'_>>) -> Result<(), LoadError> {
        self.add(Cap::CoreImports, section.count())?;
        for import in section.clone().into_imports() {
            let import = import.map_err(LoadError::malformed)?;
            self.name(import.module)?;
            self.name(import.name)?;
        }
        Ok(())
    }

    fn function(&mut self, body: &FunctionBody<'_>) -> Result<(), LoadError> {
        self.largest(Cap::FunctionBytes, body.range().len())?;
        let mut locals = 0_usize;
        for group in body.get_locals_reader().map_err(LoadError::malformed)? {
            let (count, _) = group.map_err(LoadError::malformed)?;
            locals = locals.saturating_add(count as usize);
            self.largest(Cap::Locals, locals)?;
        }
        for operator in body.get_operators_reader().map_err(LoadError::malformed)? {
            if let Operator::BrTable { targets } = operator.map_err(LoadError::malformed)? {
                self.largest(Cap::BranchTargets, targets.len() as usize)?;
            }
        }
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<(), LoadError> {
        self.largest(Cap::NameBytes, name.len())
    }

    fn add(&mut self, cap: Cap, more: u32) -> Result<(), LoadError> {
        let found = self.0[cap as usize] + u64::from(more);
        self.note(cap, found)
    }

    fn largest(&mut self, cap: Cap, found: usize) -> Result<(), LoadError> {
        let found = self.0[cap as usize].max(found as u64);
        self.note(cap, found)
    }

    fn note(&mut self, cap: Cap, found: u64) -> Result<(), LoadError> {
        self.0[cap as usize] = found;
        match found > cap.most() {
            true => Err(LoadError::TooMany { cap, found }),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use wasmparser::Parser;

    use super::*;

    fn counted(wat: &str) -> Result<Census, LoadError> {
        let mut census = Census::default();
        for payload in Parser::new(0).parse_all(&wat::parse_str(wat).expect("valid text")) {
            census.count(&payload.expect("sound"))?;
        }
        Ok(census)
    }

    #[test]
    fn as_many_as_there_may_be_are_no_fault() {
        let functions = |count: usize| counted(&format!("(module {})", "(func)".repeat(count)));
        assert!(functions(100_000).is_ok());
        let error = functions(100_001).expect_err("one too many");
        assert_eq!(error, LoadError::TooMany { cap: Cap::Functions, found: 100_001 });
        assert_eq!(
            error.to_string(),
            "the component has too many functions (100001; a bot may have 100000): leave out \
             libraries that it does not need"
        );
    }

    #[test]
    fn modules_of_a_component_are_counted_together() {
        let module = format!("(core module {})", "(func)".repeat(40_000));
        assert!(counted(&format!("(component {})", module.repeat(2))).is_ok());
        assert!(counted(&format!("(component {})", module.repeat(3))).is_err());
    }

    #[test]
    fn the_largest_of_many_counts_where_each_is_bounded() {
        let locals = |count: usize| format!("(func {})", "(local i32)".repeat(count));
        let two = format!("(module {} {})", locals(20_000), locals(15_000));
        let census = counted(&two).expect("within the bound");
        assert_eq!(census.0[Cap::Locals as usize], 20_000);
        assert!(counted(&format!("(module {})", locals(20_001))).is_err());
    }

    #[test]
    fn the_names_of_exports_are_counted_together() {
        let exports = |count: usize, bytes: usize| {
            let name = |index| format!("{}{index:05}", "x".repeat(bytes - 5));
            let exports = (0..count).map(|index| format!(r#"(export "{}" (func 0))"#, name(index)));
            counted(&format!("(module (func) {})", exports.collect::<String>()))
        };
        let census = exports(5_000, 100).expect("within the bounds");
        assert_eq!(census.linked_bytes(), (64 << 10) + 5_000 * 420);
        assert!(matches!(
            exports(12_001, 5),
            Err(LoadError::TooMany { cap: Cap::CoreExports, .. })
        ));
        let long = exports(600, 900).expect_err("too long");
        assert!(matches!(long, LoadError::TooMany { cap: Cap::CoreExportBytes, .. }), "{long}");
    }

    #[test]
    fn every_cap_says_what_to_do() {
        for (place, cap) in Cap::ALL.into_iter().enumerate() {
            assert_eq!(cap as usize, place, "{cap:?} is counted in its own place");
            assert!(cap.most() > 0 && !cap.complaint().is_empty() && !cap.advice().is_empty());
        }
    }
}
