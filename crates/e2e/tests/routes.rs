//! Every file that can't be derived from `openapi.yaml` lists each of its operations. If an entry is missing, the test
//! names the file to change.

use std::collections::{BTreeMap, BTreeSet};

use e2e::{ROUTES, Route, TRIGGERS, read, root};

/// Every text between `before` and the next `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> BTreeSet<&'a str> {
    let found = text.split(before).skip(1);
    found.map(|rest| part(rest, "", after)).collect()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .collect()
}

/// The text between the first `from` and the next `to`.
fn part<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text.split_once(from);
    let (_, rest) =
        rest.unwrap_or_else(|| panic!("crates/e2e/tests/routes.rs does not find {from}"));
    rest.split_once(to).map_or(rest, |(part, _)| part)
}

/// The files that list each route.
struct RouteFiles {
    template: String,
    router: String,
    modules: String,
    client: String,
    retries: String,
}

impl RouteFiles {
    fn read() -> Self {
        Self {
            template: read("template.yaml"),
            router: read("Cargo.toml"),
            modules: read("crates/auth-core/src/lib.rs"),
            client: read("crates/e2e/js/src/client.ts"),
            retries: part(&read("docs/failures.md"), "\n| route |", "\n\n").to_owned(),
        }
    }

    /// The missing entries of a route, each with the file to change.
    fn missing(&self, route: &Route) -> Vec<String> {
        let (path, function, resource) = (route.path, route.function(), route.resource());
        let module = function.replace('-', "_");
        let main_file = format!("functions/{function}/src/main.rs");
        let router = format!("\"/auth{path}\" = \"{function}\"");
        let block = format!("\n  {resource}Function:\n");
        let mapping = part(&self.template, "\n  Functions:\n", "\n\n");
        let entries = [
            (
                root().join(&main_file).exists(),
                format!("write {main_file}, and the Cargo.toml beside it, as for another route"),
            ),
            (
                self.modules.contains(&format!("pub mod {module};"))
                    && self.modules.contains(&format!("http::any::<{module}::")),
                format!(
                    "write crates/auth-core/src/{module}.rs, with its `mod` and its line in ROUTES in lib.rs"
                ),
            ),
            (
                self.router.contains(&router),
                format!(
                    "add `{router}` to Cargo.toml, under workspace.metadata.lambda.watch.router"
                ),
            ),
            (
                self.template.contains(&block),
                format!("write the block {resource}Function in template.yaml"),
            ),
            (
                words(mapping).contains(&*resource),
                format!("add {resource} to the mapping Functions in template.yaml"),
            ),
            (
                self.client.contains(&format!("client.POST(\"{path}\"")),
                format!("call `{path}` in crates/e2e/js/src/client.ts"),
            ),
            (
                self.retries.contains(&format!("`{path}`")),
                format!(
                    "add a row to the last table of docs/failures.md: what to do after a 503 of `{path}`"
                ),
            ),
        ];
        let missing = entries.into_iter().filter(|(exists, _)| !exists);
        missing.map(|(_, what)| format!("{path}: {what}")).collect()
    }

    /// The entries without an operation in `openapi.yaml`.
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
                    "functions/{name}: write its operation in openapi.yaml; if it is a trigger, add it to TRIGGERS in \
                     crates/e2e/src/function.rs"
                ));
            }
        }
        unspecified
    }
}

#[test]
fn every_file_lists_each_route_of_openapi_yaml() {
    let files = RouteFiles::read();
    let routes: BTreeMap<&str, &Route> = ROUTES.iter().map(|route| (route.path, route)).collect();
    let missing = routes.values().flat_map(|route| files.missing(route));
    let mut missing: Vec<String> = missing.collect();
    missing.extend(files.unspecified(&routes));
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}
