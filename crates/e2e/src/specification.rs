//! `openapi.yaml`, and whether an answer is what it says.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::{Answer, Mode};

/// The specification as one mode has it: of routes and bodies only that mode's own.
#[derive(Debug)]
pub struct Specification {
    mode: Mode,
    document: Value,
}

impl Specification {
    /// The specification as it stands, for both modes.
    pub fn document() -> &'static Value {
        static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.yaml");
            serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
        });
        &DOCUMENT
    }

    /// What the specification says of this mode.
    pub fn of(mode: Mode) -> Self {
        let mut document = Self::document().clone();
        keep_only(mode, &mut document);
        // A path goes with its one operation.
        let paths = document["paths"].as_object_mut().unwrap();
        paths.retain(|_, item| item["post"].is_object());
        Self { mode, document }
    }

    /// The document, which is an OpenAPI document of its own.
    pub fn json(&self) -> &Value {
        &self.document
    }

    /// Each path and its operation.
    pub fn operations(&self) -> impl Iterator<Item = (&str, &Value)> {
        let paths = self.document["paths"].as_object().unwrap().iter();
        paths.map(|(path, item)| (path.as_str(), &item["post"]))
    }

    /// The operation of a path, such as `/sign-in`.
    #[track_caller]
    pub fn operation(&self, path: &str) -> &Value {
        self.at(&format!("#/paths/{}/post", path.replace('/', "~1")))
    }

    /// The example of the operation's request.
    #[track_caller]
    pub fn request_example(&self, path: &str) -> &Value {
        self.example(&self.operation(path)["requestBody"], self.mode.name())
    }

    /// The example of the operation's answer when it grants the request.
    #[track_caller]
    pub fn answer_example(&self, path: &str) -> &Value {
        self.example(&self.operation(path)["responses"]["200"], self.mode.name())
    }

    /// The example of the operation's answer with this error.
    #[track_caller]
    pub fn error_example(&self, path: &str, status: u16, error_type: &str) -> &Value {
        let response = &self.operation(path)["responses"][status.to_string()];
        self.example(self.resolved(response), error_type)
    }

    #[track_caller]
    fn example<'a>(&'a self, body: &'a Value, name: &str) -> &'a Value {
        let example = &body["content"]["application/json"]["examples"][name];
        assert!(!example.is_null(), "no example {name}");
        &self.resolved(example)["value"]
    }

    /// The schema of the operation's request.
    pub fn request_schema<'a>(&'a self, operation: &'a Value) -> &'a Value {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        match &schema["anyOf"] {
            Value::Null => self.resolved(schema),
            choice => self.resolved(&choice[0]),
        }
    }

    /// What stands where a reference points to; anything else is given back.
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
        found.unwrap_or_else(|| panic!("the specification has nothing at {reference}"))
    }

    /// Checks that the answer of a route is one that the specification has, with every header, and nothing
    /// in the body that it does not have. A path that is no route of the mode is none of its affair.
    #[track_caller]
    pub(crate) fn check(&self, path: &str, answer: &Answer) {
        if self.operations().all(|(known, _)| known != path) {
            return;
        }
        let status = answer.status;
        let response = &self.operation(path)["responses"][status.to_string()];
        assert!(
            response.is_object(),
            "{path} has no {status} in the specification of {}: {answer:?}",
            self.mode.name()
        );
        let response = self.resolved(response);
        self.assert_valid(
            &response["content"]["application/json"]["schema"],
            &answer.json(),
            &format!("{path} {status}: {answer:?}"),
        );
        for (name, header) in response["headers"].as_object().unwrap() {
            let schema = &self.resolved(header)["schema"];
            let what = format!("{name} of {path} {status}");
            let text = answer.header(name).unwrap_or_else(|| panic!("no {what}"));
            let value = match schema["type"].as_str() {
                Some("integer") => text.parse::<u64>().unwrap().into(),
                _ => text.into(),
            };
            self.assert_valid(schema, &value, &what);
        }
    }

    #[track_caller]
    fn assert_valid(&self, schema: &Value, value: &Value, what: &str) {
        // With the schemas around it that it refers to.
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

/// Takes out what `x-modes` or, for an example, its name says is the other mode's.
fn keep_only(mode: Mode, value: &mut Value) {
    let kept = |value: &Value| match value["x-modes"].as_array() {
        Some(modes) => modes.iter().any(|name| name == mode.name()),
        None => true,
    };
    match value {
        Value::Array(values) => {
            values.retain(kept);
            values.iter_mut().for_each(|value| keep_only(mode, value));
        }
        Value::Object(members) => {
            members.retain(|name, value| kept(value) && name != mode.other().name());
            members
                .values_mut()
                .for_each(|value| keep_only(mode, value));
        }
        _ => {}
    }
}
