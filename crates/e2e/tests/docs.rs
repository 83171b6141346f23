//! The documentation: its commands work, and everything that it names exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use auth_core::exceptions::EXCEPTIONS;
use e2e::{Mode, Person, Specification, Stack, assert_lists, output_of, read, root};
use serde_json::Value;

/// The first line of a block that needs an AWS account, so that no test runs it.
const NEEDS_AWS: &str = "# needs an AWS account";

/// The commands of blocks that a test runs. Assignments and definitions of functions are also allowed.
const COMMANDS: [&str; 3] = ["post", "curl", "export"];

/// A page of Markdown.
struct Page {
    path: PathBuf,
    blocks: Vec<Block>,
    /// The page without its blocks.
    prose: String,
}

/// A fenced block.
struct Block {
    /// The text after the fence: the language, and for a shell optionally the mode.
    info: String,
    /// Its file and line, for messages.
    place: String,
    lines: Vec<String>,
}

impl Page {
    fn all() -> Vec<Self> {
        let folders = ["", "docs", "crates/bench"];
        let files = folders
            .iter()
            .flat_map(|folder| fs::read_dir(root().join(folder)).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "md"));
        let mut pages: Vec<Self> = files.map(Self::read).collect();
        pages.sort_by(|one, other| one.path.cmp(&other.path));
        assert!(pages.len() > 5, "the pages were not found");
        pages
    }

    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let mut page = Self {
            path,
            blocks: Vec::new(),
            prose: String::new(),
        };
        let mut open: Option<Block> = None;
        for (number, line) in (1..).zip(text.lines()) {
            match (line.trim_start().strip_prefix("```"), open.take()) {
                (Some(info), None) => {
                    open = Some(Block {
                        info: info.trim().to_owned(),
                        place: format!("{}:{number}", page.name()),
                        lines: Vec::new(),
                    })
                }
                (Some(_), Some(block)) => page.blocks.push(block),
                (None, Some(mut block)) => {
                    block.lines.push(line.to_owned());
                    open = Some(block);
                }
                (None, None) => page.prose += &format!("{line}\n"),
            }
        }
        assert!(open.is_none(), "{}: a block has no end", page.name());
        page
    }

    /// Its path in the repository.
    fn name(&self) -> String {
        let path = self.path.strip_prefix(root()).unwrap();
        path.display().to_string()
    }

    /// The targets of its links.
    fn links(&self) -> impl Iterator<Item = &str> {
        let after = self.prose.split("](").skip(1);
        after.filter_map(|rest| Some(rest.split_once(')')?.0))
    }

    /// The texts between single backticks.
    fn code_spans(&self) -> impl Iterator<Item = &str> {
        self.prose.split('`').skip(1).step_by(2)
    }

    /// The anchors of its headings, as GitHub makes them.
    fn anchors(&self) -> impl Iterator<Item = String> {
        let headings = self.prose.lines().filter_map(|line| {
            let heading = line.trim_start_matches('#');
            (heading.len() < line.len()).then(|| heading.trim().to_lowercase())
        });
        headings.map(|heading| {
            let anchor = heading.chars().filter_map(|letter| match letter {
                ' ' => Some('-'),
                '-' | '_' => Some(letter),
                _ => letter.is_alphanumeric().then_some(letter),
            });
            anchor.collect()
        })
    }

    /// The cells of all tables whose first column has this header.
    fn rows(&self, head: &str) -> Vec<Vec<&str>> {
        let cells = |line| str::split(str::trim_matches(line, '|'), '|').map(str::trim);
        let mut rows = Vec::new();
        let mut lines = self.prose.lines();
        while let Some(line) = lines.next() {
            if line.starts_with('|') && cells(line).next() == Some(head) {
                let table = lines.by_ref().take_while(|line| line.starts_with('|'));
                rows.extend(table.skip(1).map(|line| cells(line).collect()));
            }
        }
        rows
    }
}

/// The texts in backticks in a cell.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

impl Block {
    fn language(&self) -> &str {
        self.info.split_whitespace().next().unwrap_or_default()
    }

    fn mode(&self) -> Mode {
        match self.info.split_whitespace().nth(1) {
            None => Mode::UserPassword,
            Some("Passwordless") => Mode::Passwordless,
            Some(other) => panic!(
                "{}: {other} is not a mode: write ```sh Passwordless",
                self.place
            ),
        }
    }

    fn needs_aws(&self) -> bool {
        self.lines.first().is_some_and(|line| line == NEEDS_AWS)
    }

    fn commands(&self) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter().map(|line| line.trim());
        lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
    }

    /// Whether every command is `make`.
    fn is_make(&self) -> bool {
        self.commands().all(|line| line.starts_with("make"))
    }

    /// Checks that [`run`] can run it.
    #[track_caller]
    fn check_commands(&self) {
        for line in self.commands() {
            let first = line.split_whitespace().next().unwrap_or_default();
            assert!(
                COMMANDS.contains(&first) || first.ends_with("()") || first.contains('='),
                "{}: no test runs `{line}`. Blocks of `make TARGET` are checked, blocks of {COMMANDS:?} are \
                 run; one for AWS has `{NEEDS_AWS}` as its first line.",
                self.place
            );
        }
    }
}

/// Checks that the Makefile has the targets and variables of a `make` command.
#[track_caller]
fn check_make(command: &str, place: &str) {
    let makefile = read("Makefile");
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter_map(|line| line.strip_prefix(".PHONY:"))
        .flat_map(str::split_whitespace)
        .collect();
    let words = command.split_whitespace().skip(1);
    for word in words.take_while(|word| !word.starts_with(['#', '|', '>', '…'])) {
        match word.split_once('=') {
            Some((name, _)) => {
                let uses = [
                    format!("$({name})"),
                    format!("$${name}"),
                    format!("{name} ?="),
                ];
                assert!(
                    uses.iter().any(|text| makefile.contains(text)),
                    "{place}: the Makefile has no {name}: {command}"
                );
            }
            None => assert!(
                targets.contains(word),
                "{place}: the Makefile has no target {word}: {command}"
            ),
        }
    }
}

/// The `make` commands of a page, each with its place.
fn make_commands(page: &Page) -> Vec<(&str, String)> {
    let blocks = page.blocks.iter().filter(|block| block.language() == "sh");
    let lines = blocks.flat_map(|block| {
        let commands = block.commands();
        let commands = commands.filter(|line| line.split(' ').next() == Some("make"));
        commands.map(|line| (line, block.place.clone()))
    });
    let spans = page.code_spans().filter(|span| span.starts_with("make "));
    lines.chain(spans.map(|span| (span, page.name()))).collect()
}

#[test]
fn make_commands_name_existing_targets_and_variables() {
    for page in Page::all() {
        for (command, place) in make_commands(&page) {
            check_make(command, &place);
        }
    }
}

#[test]
fn documented_make_targets_run_in_ci_or_need_an_account() {
    // The text around a target in each file that runs it.
    let runs = [
        (".ci/run", "make ", "\n"),
        (".ci/run", "make ", " "),
        ("local/test-console", "make -s ", " "),
        (
            "console/test/journey.test.mjs",
            "\"make\", [\"-s\", \"",
            "\"]",
        ),
        ("crates/e2e/tests/administrators.rs", "make(&[\"", "\""),
        // Prerequisites of targets that are run.
        ("Makefile", "test: ", " "),
        ("Makefile", "build: ", " "),
    ]
    .map(|(file, before, after)| (read(file), before, after));
    for page in Page::all() {
        for (command, place) in make_commands(&page) {
            let words = command.split_whitespace().skip(1);
            let mut targets = words.filter(|word| word.starts_with(|c: char| c.is_lowercase()));
            let Some(target) = targets.next() else {
                continue;
            };
            let run = runs
                .iter()
                .any(|(text, before, after)| text.contains(&format!("{before}{target}{after}")));
            // Their scripts have their own tests.
            let tested = ["deploy", "smoke"].contains(&target);
            assert!(run || tested, "{place}: nothing runs {command}");
        }
    }
}

#[test]
fn shell_blocks_work_or_need_an_aws_account() {
    let mut ran = 0;
    for page in Page::all() {
        let mut blocks = Vec::new();
        for block in &page.blocks {
            assert!(
                !["bash", "shell", "console", "zsh"].contains(&block.language()),
                "{}: write a shell block as ```sh",
                block.place
            );
            if block.language() == "sh" && !block.needs_aws() && !block.is_make() {
                block.check_commands();
                blocks.push(block);
            }
        }
        ran += blocks.len();
        if !blocks.is_empty() {
            run(&blocks);
        }
    }
    assert!(ran > 1, "the blocks of README.md were not found");
}

/// A part of a block: commands, and the answer shown below them.
struct Step {
    place: String,
    mode: Mode,
    commands: Vec<String>,
    answer: Option<String>,
}

/// An empty folder for this process.
fn scratch_folder(name: &str) -> PathBuf {
    let name = format!("docs-{name}-{}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs the blocks of one page in one shell, each against the stack of its mode, with new users instead of the page's.
/// Compares the answers with those on the page.
fn run(blocks: &[&Block]) {
    let folder = scratch_folder("shell");
    let phone = Person::with_phone().username;
    let replacements = [
        ("user@example.com", Person::with_email().username),
        ("34999999999", phone.trim_start_matches('+').to_owned()),
        ("/tmp", folder.display().to_string()),
        (
            "http://127.0.0.1:4566",
            Stack::standard().output("Endpoint").to_owned(),
        ),
    ];
    let localize = |line: &str| {
        let replace = |line: String, (from, to): &(&str, String)| line.replace(from, to);
        replacements.iter().fold(line.to_owned(), replace)
    };

    let mut steps: Vec<Step> = Vec::new();
    for block in blocks {
        let new_step = || Step {
            place: block.place.clone(),
            mode: block.mode(),
            commands: Vec::new(),
            answer: None,
        };
        steps.push(new_step());
        for line in block.lines.iter().map(|line| localize(line)) {
            let step = steps.last_mut().unwrap();
            if let Some(answer) = line.strip_prefix("# {") {
                step.answer = Some(format!("{{{answer}"));
                steps.push(new_step());
            } else if let Some(url) = line.strip_prefix("export AUTH=") {
                let actual = Stack::of(block.mode()).output("AuthApiURL").to_owned();
                assert!(
                    matches_text(url, &actual),
                    "{}: {url} does not match {actual}",
                    block.place
                );
            } else {
                step.commands.push(line);
            }
        }
    }
    steps.retain(|step| !step.commands.is_empty());

    // A record separator ends the output of each step.
    let script = steps.iter().map(|step| {
        let auth = Stack::of(step.mode).output("AuthApiURL").to_owned();
        format!(
            "AUTH={auth}\n{}\nprintf '\\036'\n",
            step.commands.join("\n")
        )
    });
    let script = format!("set -euo pipefail\n{}", script.collect::<String>());
    let mut bash = Command::new("bash");
    let output = bash
        .arg("-c")
        .arg(script)
        .current_dir(&folder)
        .output()
        .unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let written = String::from_utf8(output.stdout).unwrap();
    let mut written = written.split('\u{1e}');
    for step in &steps {
        let written = written.next().unwrap_or_default().trim();
        let shown = format!("{}: {:?} gave {written}", step.place, step.commands);
        match &step.answer {
            Some(answer) => {
                let expected: Value = serde_json::from_str(answer)
                    .unwrap_or_else(|error| panic!("{}: {answer}: {error}", step.place));
                let actual = serde_json::from_str(written).unwrap_or_else(|_| panic!("{shown}"));
                assert!(matches_json(&expected, &actual), "{shown}, not {answer}");
            }
            None => assert!(
                step.commands.iter().all(|line| !line.starts_with("post ")),
                "{}: the answer to {:?} is not shown as a comment under it",
                step.place,
                step.commands
            ),
        }
    }
    assert!(
        output.status.success(),
        "{}: {}",
        blocks[0].place,
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Whether a value matches the shown one, in which `…` stands for any text.
fn matches_json(shown: &Value, value: &Value) -> bool {
    match (shown, value) {
        (Value::Object(shown), Value::Object(value)) => {
            shown.len() == value.len()
                && shown.iter().all(|(key, shown)| {
                    value
                        .get(key)
                        .is_some_and(|value| matches_json(shown, value))
                })
        }
        (Value::String(shown), Value::String(value)) => matches_text(shown, value),
        _ => shown == value,
    }
}

fn matches_text(shown: &str, text: &str) -> bool {
    match shown.split_once('…') {
        None => shown == text,
        Some((start, end)) => {
            text.len() > start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

/// The only block of docs/integrating.md in this language.
fn block_of_integrating(language: &str) -> String {
    let page = Page::read(root().join("docs/integrating.md"));
    let blocks = page.blocks.iter();
    let blocks: Vec<&Block> = blocks
        .filter(|block| block.language() == language)
        .collect();
    assert_eq!(
        blocks.len(),
        1,
        "docs/integrating.md must have one block in {language}"
    );
    blocks[0].lines.join("\n") + "\n"
}

/// A folder inside `js`, so that it finds the packages, with the page's client.
fn js_folder(name: &str) -> PathBuf {
    let folder = root().join("crates/e2e/js/dist").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("session.js"), block_of_integrating("js")).unwrap();
    folder
}

/// Runs a program of `js`.
#[track_caller]
fn run_js(program: &str, arguments: &[&str]) {
    let program = root().join("crates/e2e/js").join(program);
    output_of(Command::new("node").arg(program).args(arguments));
}

#[test]
fn integrating_page_browser_client_works() {
    let client = js_folder("browser").join("session.js");
    let phone = Person::with_phone().username;
    let sms = format!(
        "{}/_ministack/sns/sms-messages?phoneNumber={}",
        Stack::passwordless().output("Endpoint"),
        phone.replace('+', "%2B")
    );
    run_js(
        "session.mjs",
        &[
            client.to_str().unwrap(),
            Stack::standard().output("AuthApiURL"),
            Stack::passwordless().output("AuthApiURL"),
            &sms,
            &Person::with_email().username,
            &phone,
        ],
    );
}

#[test]
fn integrating_page_react_example_works() {
    let folder = js_folder("react");
    fs::write(folder.join("app.jsx"), block_of_integrating("jsx")).unwrap();
    let compiler = root().join("crates/e2e/js/node_modules/.bin/tsc");
    let options = ["--allowJs", "--jsx", "react-jsx", "--outDir", "compiled"];
    let modules = ["--target", "es2022", "--module", "nodenext", "app.jsx"];
    let mut compile = Command::new(compiler);
    output_of(compile.args(options).args(modules).current_dir(&folder));

    let stack = Stack::standard();
    let person = stack.confirmed_user();
    run_js(
        "react.mjs",
        &[
            folder.join("session.js").to_str().unwrap(),
            folder.join("compiled/app.js").to_str().unwrap(),
            stack.output("AuthApiURL"),
            &person.username,
            &person.password,
        ],
    );
}

/// The files in a folder, without those that are built or installed.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let entries = entries.filter(|entry| {
        let name = entry.file_name().into_string().unwrap();
        !name.starts_with('.') && !["target", "node_modules"].contains(&&*name)
    });
    entries
        .flat_map(|entry| match entry.file_type().unwrap() {
            kind if kind.is_dir() => files(&entry.path()),
            _ => vec![entry.path()],
        })
        .collect()
}

#[test]
fn weekly_advisory_check_covers_every_lock_file() {
    let page = Page::read(root().join("docs/operations.md"));
    let mut blocks = page.blocks.iter();
    let recipe = blocks.find(|block| block.language() == "yaml").unwrap();
    let recipe: Value = serde_saphyr::from_str(&recipe.lines.join("\n")).unwrap();
    let job = &recipe["jobs"]["advisories"];
    let checks = job["strategy"]["matrix"]["check"].as_array().unwrap();
    let checks: BTreeSet<String> = checks
        .iter()
        .map(|check| check.as_str().unwrap().to_owned())
        .collect();
    let files = files(&root());
    let expected = files.iter().filter_map(|file| {
        let file = file.strip_prefix(root()).unwrap().to_str().unwrap();
        let (folder, name) = file.rsplit_once('/').unwrap_or((".", file));
        match name {
            "Cargo.lock" if folder == "." => Some("cargo deny --locked check advisories".to_owned()),
            "Cargo.lock" => Some(format!(
                "cargo deny --locked --manifest-path {folder}/Cargo.toml --config deny.toml check advisories"
            )),
            "package-lock.json" => Some(format!("npm audit --prefix {folder}")),
            _ if name.starts_with("requirements") => Some(format!(
                "pip-audit --disable-pip --require-hashes -r {file}"
            )),
            _ => None,
        }
    });
    assert_lists(&page.name(), &checks, &expected.collect());

    let makefile = read("Makefile");
    let version = makefile
        .lines()
        .find_map(|line| line.strip_prefix("CARGO_DENY_VERSION := "));
    let install = format!(
        "cargo install cargo-deny --version {} --locked",
        version.unwrap()
    );
    let steps = job["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["run"] == install), "{install}");
}

#[test]
fn json_blocks_are_valid_json() {
    for block in Page::all().iter().flat_map(|page| &page.blocks) {
        if block.language() == "json" {
            let json = serde_json::from_str::<Value>(&block.lines.join("\n"));
            assert!(json.is_ok(), "{}: {json:?}", block.place);
        }
    }
}

#[test]
fn links_into_the_repository_have_a_target() {
    for page in Page::all() {
        for link in page.links().filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.path.clone(),
                path => page.path.parent().unwrap().join(path),
            };
            let shown = format!("{}: the target of {link} does not exist", page.name());
            assert!(target.exists(), "{shown}");
            let found = || Page::read(target).anchors().any(|found| found == anchor);
            assert!(anchor.is_empty() || found(), "{shown}");
        }
    }
}

#[test]
fn readme_links_every_page() {
    let readme = Page::read(root().join("README.md"));
    let linked: BTreeSet<&str> = readme.links().collect();
    for page in Page::all().iter().filter(|page| page.path != readme.path) {
        let name = page.name();
        assert!(linked.contains(&*name), "README.md does not link {name}");
    }
}

/// Names with an underscore in `SECURITY.md` that are not tests.
const CLAIMS: [&str; 3] = ["auth_time", "email_verified", "phone_number_verified"];

#[test]
fn security_md_names_only_existing_tests() {
    let sources: Vec<String> = [
        "crates/auth-core/src",
        "crates/e2e/tests",
        "crates/hostile/tests",
    ]
    .iter()
    .flat_map(|folder| files(&root().join(folder)))
    .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
    .map(|path| fs::read_to_string(path).unwrap())
    .collect();
    let page = Page::read(root().join("SECURITY.md"));
    let is_name = |span: &&str| {
        let letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        span.contains('_') && span.chars().all(|each| letter(each) || each == '_')
    };
    let names: BTreeSet<&str> = page.code_spans().filter(is_name).collect();
    assert!(names.len() > 40, "{names:?}");
    for name in names.iter().filter(|name| !CLAIMS.contains(*name)) {
        let function = format!("fn {name}(");
        let exists = sources.iter().any(|source| source.contains(&function));
        assert!(
            exists,
            "SECURITY.md names a test that does not exist: {name}"
        );
    }
    for row in page.rows("rule") {
        let shown_by = row.last().unwrap();
        let shown = shown_by.contains('`') || shown_by.contains("(AWS)");
        assert!(shown, "SECURITY.md names no test for: {}", row[0]);
    }
}

/// The risks that a parameter's value brings, as every place says that sets it.
const RISKS: [(&str, &str); 2] = [
    (
        "SkipConfirmationRoles",
        "nyone can sign up with another person's address or number",
    ),
    ("EmailVerification", "ail scanners open links"),
];

#[test]
fn risky_parameters_warn_where_they_are_set() {
    let template = Stack::standard().template();
    let page = Page::read(root().join("docs/parameters.md"));
    let rows = page.rows("parameter");
    for (parameter, risk) in RISKS {
        let description = &template["Parameters"][parameter]["Description"];
        assert!(description.as_str().unwrap().contains(risk), "{parameter}");
        let name = format!("`{parameter}`");
        let row = rows.iter().find(|row| row[0] == name).unwrap();
        assert!(row[2].contains(risk), "{row:?}");
    }
    let remains = read("SECURITY.md");
    for risk in [
        "A role in `SkipConfirmationRoles` proves no address",
        "Mail scanners open links",
        "A confirmation shows that a user exists",
    ] {
        assert!(remains.contains(risk), "SECURITY.md lacks: {risk}");
    }
}

/// The parameters of a row. `…Lowercase` stands for the name before it with another last word.
fn parameters_of(cell: &str) -> Vec<String> {
    let mut parameters: Vec<String> = Vec::new();
    for name in names(cell) {
        let full = match (name.strip_prefix('…'), parameters.last()) {
            (Some(end), Some(last)) => {
                let word = last.rfind(|letter: char| letter.is_uppercase()).unwrap();
                format!("{}{end}", &last[..word])
            }
            _ => name.to_owned(),
        };
        parameters.push(full);
    }
    parameters
}

#[test]
fn parameters_page_lists_every_default() {
    let template = Stack::standard().template();
    let parameters = template["Parameters"].as_object().unwrap().iter();
    let expected: BTreeSet<(String, String)> = parameters
        .map(|(name, parameter)| {
            let default = &parameter["Default"];
            let text = default.as_str().map(str::to_owned);
            (name.clone(), text.unwrap_or_else(|| default.to_string()))
        })
        .collect();

    let page = Page::read(root().join("docs/parameters.md"));
    let mut documented = BTreeSet::new();
    for row in page.rows("parameter") {
        // One default for all parameters of the row, or one for each.
        let defaults: Vec<&str> = row[1].split(',').map(str::trim).collect();
        for (number, name) in parameters_of(row[0]).into_iter().enumerate() {
            let default = defaults[number.min(defaults.len() - 1)].trim_matches('`');
            documented.insert((name, default.to_owned()));
        }
    }
    assert_lists(&page.name(), &documented, &expected);
}

#[test]
fn troubleshooting_lists_exactly_the_error_types() {
    let specified = Mode::BOTH.into_iter().flat_map(|mode| {
        let errors = Specification::of(mode).errors().into_iter();
        errors.map(|(_, error_type)| error_type)
    });
    // Those of the specification, that of `make watch`, and those that no answer has.
    let mut known: BTreeSet<String> = specified.collect();
    known.insert("MethodNotAllowedException".to_owned());
    known.extend(EXCEPTIONS.map(|(name, _)| name.to_owned()));
    let page = Page::read(root().join("docs/troubleshooting.md"));
    let rows = page.rows("`type`").into_iter();
    let documented = rows.flat_map(|row| names(row[0])).map(str::to_owned);
    assert_lists(&page.name(), &documented.collect(), &known);
}

#[test]
fn troubleshooting_lists_every_rule_of_the_template() {
    let template = Stack::standard().template();
    let page = Page::read(root().join("docs/troubleshooting.md"));
    for rule in template["Rules"].as_object().unwrap().values() {
        for assertion in rule["Assertions"].as_array().unwrap() {
            let sentence = assertion["AssertDescription"].as_str().unwrap();
            assert!(
                page.code_spans().any(|span| span == sentence),
                "docs/troubleshooting.md lacks: {sentence}"
            );
        }
    }
}

#[test]
fn deployer_permissions_cover_every_service() {
    let page = Page::read(root().join("docs/deploying.md"));
    let documented: BTreeSet<String> = page
        .rows("service")
        .iter()
        .map(|row| names(row[0])[0].to_owned())
        .collect();
    let template = Stack::standard().template();
    let kinds = template["Resources"].as_object().unwrap().values();
    let services = kinds.map(|resource| {
        let service = resource["Type"].as_str().unwrap().split("::").nth(1);
        match service.unwrap() {
            "Cognito" => "cognito-idp".to_owned(),
            service => service.to_lowercase(),
        }
    });
    // `sam deploy` itself calls these two.
    let expected = services.chain(["cloudformation", "s3"].map(str::to_owned));
    assert_lists(&page.name(), &documented, &expected.collect());

    // What the template can't do without, and the role that the first pool with SES needs.
    for (service, actions) in [
        (
            "iam",
            "CreateRole PutRolePolicy AttachRolePolicy PassRole DeleteRole CreateServiceLinkedRole",
        ),
        (
            "cognito-idp",
            "CreateUserPool CreateUserPoolDomain AssociateWebACL",
        ),
        ("lambda", "CreateFunction AddPermission"),
        ("apigateway", "SetWebACL"),
        ("wafv2", "CreateWebACL AssociateWebACL"),
    ] {
        let rows = page.rows("service");
        let row = rows.iter().find(|row| names(row[0]) == [service]).unwrap();
        for action in actions.split(' ') {
            assert!(names(row[1]).contains(&action), "{service}:{action}");
        }
    }
}
