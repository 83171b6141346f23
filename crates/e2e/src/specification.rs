//! `openapi.yaml`, and the check of answers against it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::{Answer, Mode, read};

static TEXT: LazyLock<String> = LazyLock::new(|| read("openapi.yaml"));

/// The specification of one mode: only its routes and bodies.
#[derive(Debug)]
pub struct Specification {
    mode: Mode,
    document: Value,
}

impl Specification {
    /// The whole specification, for both modes.
    pub fn document() -> &'static Value {
        static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
            serde_saphyr::from_str(&TEXT).unwrap_or_else(|error| panic!("openapi.yaml: {error}"))
        });
        &DOCUMENT
    }

    /// The specification of this mode.
    pub fn of(mode: Mode) -> &'static Self {
        static OF_MODES: LazyLock<[Specification; 2]> =
            LazyLock::new(|| Mode::BOTH.map(Specification::read));
        let [with_password, passwordless] = &*OF_MODES;
        match mode {
            Mode::UserPassword => with_password,
            Mode::Passwordless => passwordless,
        }
    }

    fn read(mode: Mode) -> Self {
        let mut document = Self::document().clone();
        keep_only(mode, &mut document);
        // Each path has one operation.
        let paths = document["paths"].as_object_mut().unwrap();
        paths.retain(|_, item| item["post"].is_object());
        Self { mode, document }
    }

    /// The OpenAPI document of this mode.
    pub fn json(&self) -> &Value {
        &self.document
    }

    /// The paths, such as `/sign-in`, in the order of the file, which is the order in which a user calls them.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        // From the text: a `Value` sorts its keys.
        let keys = TEXT.lines();
        let keys = keys.filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
        keys.filter(|key| self.document["paths"].get(key).is_some())
    }

    /// The operation of a path.
    #[track_caller]
    pub fn operation(&self, path: &str) -> &Value {
        self.at(&format!("#/paths/{}/post", path.replace('/', "~1")))
    }

    /// The example of the operation's request.
    #[track_caller]
    pub fn request_example(&self, path: &str) -> &Value {
        let body = &self.operation(path)["requestBody"];
        self.example(body, self.mode.name(), &format!("{path}'s request"))
    }

    /// The example of the operation's answer with status 200.
    #[track_caller]
    pub fn answer_example(&self, path: &str) -> &Value {
        let answer = &self.operation(path)["responses"]["200"];
        self.example(answer, self.mode.name(), &format!("{path}'s 200"))
    }

    /// The example of the operation's answer with this error.
    #[track_caller]
    pub fn error_example(&self, path: &str, status: u16, error_type: &str) -> &Value {
        let response = &self.operation(path)["responses"][status.to_string()];
        self.example(response, error_type, &format!("{path}'s {status}"))
    }

    #[track_caller]
    fn example<'a>(&'a self, body: &'a Value, name: &str, what: &str) -> &'a Value {
        let example = &self.resolved(body)["content"]["application/json"]["examples"][name];
        assert!(
            !example.is_null(),
            "openapi.yaml lacks an example {name} of {what}"
        );
        &self.resolved(example)["value"]
    }

    /// The schema of the operation's request.
    #[track_caller]
    pub fn request_schema(&self, path: &str) -> &Value {
        let body = &self.operation(path)["requestBody"];
        let schema = &body["content"]["application/json"]["schema"];
        let mut choices = ["anyOf", "oneOf"].into_iter();
        let first = choices.find_map(|choice| schema[choice].get(0));
        self.resolved(first.unwrap_or(schema))
    }

    /// The status and type of every error.
    pub fn errors(&self) -> BTreeSet<(String, String)> {
        let operations = self.paths().map(|path| self.operation(path));
        let responses =
            operations.flat_map(|operation| operation["responses"].as_object().unwrap());
        let errors = responses.filter(|(status, _)| *status != "200");
        errors
            .flat_map(|(status, response)| {
                let body = &self.resolved(response)["content"]["application/json"];
                let names = body["examples"].as_object().into_iter().flatten();
                names.map(move |(name, _)| (status.clone(), name.clone()))
            })
            .collect()
    }

    /// The target of a reference; any other value is returned unchanged.
    pub fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.at(reference),
            None => value,
        }
    }

    #[track_caller]
    fn at(&self, reference: &str) -> &Value {
        let pointer = reference.strip_prefix('#').unwrap();
        let found = self.document.pointer(pointer);
        found.unwrap_or_else(|| panic!("openapi.yaml has nothing at {reference}"))
    }

    /// Checks status, headers and body of a route's answer against the specification. Returns the message of the
    /// error's example. Paths that are not routes of the mode are not checked.
    #[track_caller]
    pub(crate) fn check(&self, path: &str, answer: &Answer) -> Option<&str> {
        self.document["paths"].get(path)?;
        let status = answer.status;
        let response = &self.operation(path)["responses"][status.to_string()];
        assert!(
            response.is_object(),
            "openapi.yaml lacks {path}'s {status} in {}: {answer:?}",
            self.mode.name()
        );
        let response = self.resolved(response);
        let body = answer.json();
        self.assert_valid(
            &response["content"]["application/json"]["schema"],
            &body,
            &format!("{path} {status}: {answer:?}"),
        );
        for (name, header) in response["headers"].as_object().unwrap() {
            let schema = &self.resolved(header)["schema"];
            let what = format!("{name} of {path} {status}");
            let Some(text) = answer.header(name) else {
                let required = self.resolved(header)["required"] == true;
                assert!(!required, "no {what}");
                continue;
            };
            let value = match schema["type"].as_str() {
                Some("integer") => text.parse::<u64>().unwrap().into(),
                _ => text.into(),
            };
            self.assert_valid(schema, &value, &what);
        }
        let error_type = body["error"]["type"].as_str()?;
        let example = self.error_example(path, status, error_type);
        example["error"]["message"].as_str()
    }

    #[track_caller]
    fn assert_valid(&self, schema: &Value, value: &Value, what: &str) {
        // The schema refers to these.
        let mut root =
            json!({ "components": { "schemas": self.document["components"]["schemas"] } });
        let rules = schema.as_object().unwrap().clone();
        root.as_object_mut().unwrap().extend(rules);
        let validator = jsonschema::draft202012::new(&root).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(value)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{what}: {errors:?}");
    }
}

/// Removes what belongs to the other mode, by `x-modes` or by an example's name.
fn keep_only(mode: Mode, value: &mut Value) {
    let belongs = |value: &Value| match value["x-modes"].as_array() {
        Some(modes) => modes.iter().any(|name| name == mode.name()),
        None => true,
    };
    match value {
        Value::Array(values) => {
            values.retain(belongs);
            values.iter_mut().for_each(|value| keep_only(mode, value));
        }
        Value::Object(members) => {
            members.retain(|name, value| belongs(value) && name != mode.other().name());
            members
                .values_mut()
                .for_each(|value| keep_only(mode, value));
        }
        _ => {}
    }
}
