//! No circle of modules: each imports only from the layers below its own, as `docs/architecture.md` draws them.

use std::collections::BTreeMap;
use std::path::Path;

/// The layer of each module by the drawing: 0 is the ground.
fn layers() -> BTreeMap<String, usize> {
    let page = read("../../docs/architecture.md");
    let (_, drawing) = page.split_once("```layers\n").unwrap();
    let (drawing, _) = drawing.split_once("```").unwrap();
    let rows = drawing.lines().rev().enumerate();
    let modules = rows.flat_map(|(layer, row)| {
        let names = row.split_whitespace();
        names.map(move |name| (name.to_owned(), layer))
    });
    modules.collect()
}

/// The modules that a module imports from, its tests aside.
fn imports(source: &str) -> Vec<String> {
    let (source, _) = source.split_once("#[cfg(test)]").unwrap_or((source, ""));
    let lines = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code: String = lines.collect();
    let name = |text: &str| -> String {
        let letters = text.trim_start().chars();
        letters
            .take_while(|c| c.is_ascii_lowercase() || *c == '_')
            .collect()
    };
    let after = code.split("crate::").skip(1);
    let names = after.flat_map(|text| match text.strip_prefix('{') {
        Some(group) => {
            let (group, _) = group.split_once("};").unwrap();
            group.split(',').map(name).collect()
        }
        None => vec![name(text)],
    });
    names.filter(|name| !name.is_empty()).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn a_module_imports_only_from_the_layers_below_its_own() {
    let layers = layers();
    let top = layers.values().max().unwrap() + 1;
    let lib = read("src/lib.rs");
    let (lib, _) = lib.split_once("#[cfg(test)]").unwrap();
    let modules = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "));
    let mut modules: Vec<&str> = modules.map(|name| name.trim_end_matches(';')).collect();
    modules.sort_unstable();
    assert!(modules.len() > 20, "{modules:?}");
    for module in modules {
        // A function's module is above all that functions share.
        let folder = format!("../../functions/{}", module.replace('_', "-"));
        let is_function = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).exists();
        let layer_of = |name: &str| layers.get(name).copied();
        let layer = match is_function {
            true => top,
            false => layer_of(module)
                .unwrap_or_else(|| panic!("docs/architecture.md has no layer for {module}")),
        };
        let inner = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(module);
        let inner = std::fs::read_dir(inner).into_iter().flatten();
        let inner = inner.map(|file| file.unwrap().path().display().to_string());
        for file in inner.chain([format!("src/{module}.rs")]) {
            for import in imports(&read(&file)) {
                let below = import == module || layer_of(&import).is_some_and(|it| it < layer);
                assert!(
                    below || file.ends_with("tests.rs"),
                    "{module} imports {import}, which is not in a layer below it: see docs/architecture.md"
                );
            }
        }
    }
}
