//! Each operation of `openapi.yaml` has its place in every other file that can't be derived from it. Where one is
//! missing, the test says which file to touch.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use e2e::{Mode, ROUTES, Route, Specification, TRIGGERS, resource};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What stands between each of these and the next of those.
fn between<'a>(text: &'a str, before: &str, after: &str) -> BTreeSet<&'a str> {
    let found = text.split(before).skip(1);
    found.map(|rest| part(rest, "", after)).collect()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .collect()
}

/// A part of a text, from the first of these to the next of those.
fn part<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text.split_once(from);
    let (_, rest) = rest.unwrap_or_else(|| panic!("crates/e2e/tests/routes.rs finds no {from}"));
    rest.split_once(to).map_or(rest, |(part, _)| part)
}

/// The files in which each route has its place.
struct Places {
    template: String,
    router: String,
    modules: String,
    client: String,
    repeats: String,
}

impl Places {
    fn read() -> Self {
        Self {
            template: read("template.yaml"),
            router: read("Cargo.toml"),
            modules: read("crates/auth-core/src/lib.rs"),
            client: read("crates/e2e/js/src/client.ts"),
            repeats: part(&read("docs/failures.md"), "\n| route |", "\n\n").to_owned(),
        }
    }

    /// What a route lacks, each with the file to touch.
    fn lacking(&self, route: &Route) -> Vec<String> {
        let (path, function, resource) = (route.path, route.function(), route.resource());
        let module = function.replace('-', "_");
        let mut lacking = Vec::new();
        let mut need = |there: bool, what: String| {
            if !there {
                lacking.push(format!("{path}: {what}"));
            }
        };

        let doorway = format!("functions/{function}/src/main.rs");
        need(
            root().join(&doorway).exists(),
            format!("write {doorway}, and the Cargo.toml beside it, as another route has them"),
        );
        let listed = self.modules.contains(&format!("pub mod {module};"))
            && self.modules.contains(&format!("http::any::<{module}::"));
        need(
            listed,
            format!(
                "write crates/auth-core/src/{module}.rs, with its `mod` and its line in ROUTES in lib.rs"
            ),
        );
        let line = format!("\"/auth{path}\" = \"{function}\"");
        need(
            self.router.contains(&line),
            format!("add `{line}` to Cargo.toml, under workspace.metadata.lambda.watch.router"),
        );

        let header = format!("  {resource}Function:");
        let block = self.template.lines().skip_while(|line| *line != header);
        let block = block
            .skip(1)
            .take_while(|line| !line.starts_with("  ") || line.starts_with("   "));
        let block: Vec<&str> = block.map(str::trim).collect();
        for line in [
            format!("CodeUri: target/lambda/{function}/"),
            format!("Path: /auth{path}"),
        ] {
            need(
                block.contains(&&*line),
                format!("write the block {resource}Function in template.yaml, with `{line}`"),
            );
        }
        let condition = match route.only_mode() {
            Some(mode) => format!("Condition: Is{}", mode.name()),
            None => "no condition".to_owned(),
        };
        let found = block.iter().find(|line| line.starts_with("Condition: "));
        need(
            block.is_empty() || *found.unwrap_or(&"no condition") == condition,
            format!("give {resource}Function in template.yaml {condition}, as x-modes says"),
        );
        let mapping = part(&self.template, "\n  Functions:\n", "\n\n");
        need(
            words(mapping).contains(&*resource),
            format!("add {resource} to the mapping Functions in template.yaml"),
        );

        need(
            self.client.contains(&format!("client.POST(\"{path}\"")),
            format!("call `{path}` in crates/e2e/js/src/client.ts"),
        );
        need(
            self.repeats.contains(&format!("`{path}`")),
            format!(
                "add a row to the last table of docs/failures.md: what to do after a 503 of `{path}`"
            ),
        );
        lacking
    }

    /// What is there without an operation in `openapi.yaml`.
    fn unspecified(&self, routes: &BTreeMap<&str, &Route>) -> Vec<String> {
        let router = between(&self.router, "\"/auth", "\" = ").into_iter();
        let router = router.map(|path| ("Cargo.toml routes", path));
        let template = between(&self.template, "Path: /auth", "\n").into_iter();
        let template = template.map(|path| ("template.yaml has", path));
        let page = read("console/index.html");
        let console = between(&page, "data-route=\"", "\"");
        let console: Vec<String> = console.iter().map(|route| format!("/{route}")).collect();
        let console = console
            .iter()
            .map(|path| ("console/index.html calls", &**path));
        let mut unspecified: Vec<String> = router
            .chain(template)
            .chain(console)
            .filter(|(_, path)| !routes.contains_key(path))
            .map(|(what, path)| format!("{what} {path}: write its operation in openapi.yaml"))
            .collect();
        for folder in std::fs::read_dir(root().join("functions")).unwrap() {
            let name = folder.unwrap().file_name().into_string().unwrap();
            let route = routes.values().any(|route| route.function() == name);
            if !route && !TRIGGERS.contains(&&*name) {
                unspecified.push(format!(
                    "functions/{name}: write its operation in openapi.yaml; of a trigger, add it to TRIGGERS in \
                     crates/e2e/src/function.rs"
                ));
            }
        }
        unspecified
    }
}

#[test]
fn every_file_lists_each_route_of_openapi_yaml() {
    let places = Places::read();
    let routes: BTreeMap<&str, &Route> = ROUTES.iter().map(|route| (route.path, route)).collect();
    let lacking = routes.values().flat_map(|route| places.lacking(route));
    let mut lacking: Vec<String> = lacking.collect();
    lacking.extend(places.unspecified(&routes));
    assert!(lacking.is_empty(), "\n{}", lacking.join("\n"));
}

#[test]
fn each_operation_of_openapi_yaml_is_complete() {
    let mut lacking = Vec::new();
    for (path, item) in Specification::document()["paths"].as_object().unwrap() {
        let operation = &item["post"];
        let mut need = |there: bool, what: String| {
            if !there {
                lacking.push(format!("openapi.yaml, {path}: {what}"));
            }
        };
        let modes = operation["x-modes"].as_array().into_iter().flatten();
        let modes: BTreeSet<&str> = modes.filter_map(Value::as_str).collect();
        let both = BTreeSet::from(Mode::BOTH.map(Mode::name));
        need(
            !modes.is_empty() && modes.is_subset(&both),
            format!("x-modes names the modes that have it, of {both:?}"),
        );
        for (what, body) in [
            ("requestBody", &operation["requestBody"]),
            ("answer 200", &operation["responses"]["200"]),
        ] {
            let examples = body["content"]["application/json"]["examples"].as_object();
            let examples = examples.into_iter().flatten().map(|(name, _)| &**name);
            need(
                examples.collect::<BTreeSet<_>>() == modes,
                format!("the {what} has an example of each of its modes, by the mode's name"),
            );
        }
        let mut words = path.split(['/', '-']).skip(1);
        let first = words.next().unwrap_or_default().to_owned();
        let name = words.fold(first, |name, word| name + &resource(word));
        need(
            operation["operationId"] == name,
            format!("its operationId is {name}"),
        );
    }
    assert!(lacking.is_empty(), "\n{}", lacking.join("\n"));
}
