//! Stacks that a single test deploys.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::{Mode, Stack, url_encoded};

/// A string in an answer of AWS.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).into()
}

impl Stack {
    /// Deploys a stack with parameters such as `Roles=User`, and waits until it is complete.
    #[track_caller]
    pub fn deploy(name: &'static str, mode: Mode, parameters: &[&str]) -> Self {
        let aws = Self::standard();
        let mode_parameter = format!("Mode={}", mode.name());
        let parameters = [&[&*mode_parameter], parameters].concat();
        let description = aws.create(name, &aws.template(), &parameters);
        assert_eq!(
            description["StackStatus"], "CREATE_COMPLETE",
            "{description}"
        );
        Self::deployed(name, mode)
    }

    /// A stack that a test deployed.
    #[track_caller]
    pub fn deployed(name: &'static str, mode: Mode) -> Self {
        let aws = Self::standard();
        let of_the_account = ["Endpoint", "AWS_ACCESS_KEY_ID"];
        let of_the_account = of_the_account.map(|key| format!("{key}={}\n", aws.output(key)));
        let outputs = aws.embedded_aws(&["outputs", name]) + &of_the_account.concat();
        Self::new(name, mode, "*", 60, &outputs)
    }

    /// Creates a stack of a template of any size, waits for the end, and returns its description.
    #[track_caller]
    pub fn create(&self, name: &str, template: &Value, parameters: &[&str]) -> Value {
        let file = std::env::temp_dir().join(format!("{name}-{}.json", std::process::id()));
        std::fs::write(&file, template.to_string()).unwrap();
        let key = format!("{name}.json");
        let body = file.to_str().unwrap();
        let bucket = ["--bucket", "test-stacks", "--key", &key];
        self.cli(&[&["s3api", "put-object", "--body", body][..], &bucket].concat());
        std::fs::remove_file(&file).unwrap();

        // In a bucket, because it is too large for a request.
        let template = format!("{}/test-stacks/{key}", self.output("Endpoint"));
        let parameters = parameters.iter().map(|parameter| {
            let (key, value) = parameter.split_once('=').unwrap();
            json!({ "ParameterKey": key, "ParameterValue": value })
        });
        let parameters = parameters.collect::<Value>().to_string();
        let stack = ["--stack-name", name, "--template-url", &template];
        let options = ["--parameters", &parameters];
        let capabilities = ["--capabilities", "CAPABILITY_IAM"];
        let create = ["cloudformation", "create-stack"];
        self.cli(&[&create[..], &stack, &options, &capabilities].concat());
        self.wait_until_settled(name)
    }

    /// Deletes the stack, waits for the end, and returns its events.
    #[track_caller]
    pub fn delete(&self, name: &str) -> Vec<Value> {
        let of_stack = |command, stack| ["cloudformation", command, "--stack-name", stack];
        // A deleted stack is found only by its id.
        let stack = self.cli(&of_stack("describe-stacks", name));
        let id = text(&stack["Stacks"][0]["StackId"]);
        self.embedded_aws(&[&["run", "aws"][..], &of_stack("delete-stack", name)].concat());
        let description = self.wait_until_settled(&id);
        assert_eq!(
            description["StackStatus"], "DELETE_COMPLETE",
            "{description}"
        );
        let events = self.cli(&of_stack("describe-stack-events", &id));
        events["StackEvents"].as_array().unwrap().clone()
    }

    /// Waits for the end of the stack's operation, and returns its description.
    #[track_caller]
    fn wait_until_settled(&self, stack: &str) -> Value {
        let status = format!("Action=DescribeStacks&StackName={}", url_encoded(stack));
        for _ in 0..480 {
            // Without the CLI, which takes most of a second to start.
            let answer = self.cloudformation(&status);
            if !answer.text.contains("_IN_PROGRESS</StackStatus>") {
                let describe = ["cloudformation", "describe-stacks", "--stack-name", stack];
                return self.cli(&describe)["Stacks"][0].take();
            }
            sleep(Duration::from_millis(250));
        }
        panic!("{stack} does not settle");
    }

    /// The physical ids of the stack's resources, by type and logical id.
    #[track_caller]
    pub fn resources(&self) -> BTreeMap<(String, String), String> {
        let list = ["cloudformation", "list-stack-resources", "--stack-name"];
        let resources = self.cli(&[&list[..], &[self.name()]].concat());
        let resources = resources["StackResourceSummaries"].as_array().unwrap();
        let resources = resources.iter().map(|resource| {
            let key = ["ResourceType", "LogicalResourceId"].map(|key| text(&resource[key]));
            (key.into(), text(&resource["PhysicalResourceId"]))
        });
        resources.collect()
    }

    /// Adds these variables to a function's environment.
    #[track_caller]
    pub fn set_environment(&self, function: &str, more: &[(&'static str, String)]) {
        let mut variables = self.environment(function);
        for (name, value) in more {
            variables[name] = Value::from(&**value);
        }
        let environment = json!({ "Variables": variables }).to_string();
        let update = ["lambda", "update-function-configuration"];
        let to = ["--function-name", function, "--environment", &environment];
        self.cli(&[&update[..], &to].concat());
    }
}
