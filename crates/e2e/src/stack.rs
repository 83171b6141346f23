//! A deployed stack: its API, its pool, its functions and their logs.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use ureq::http::request::Builder;
use ureq::http::{Error, HeaderValue, Request};

use crate::person::attribute_of;
use crate::{Answer, Mode, Person, Specification, Tokens, output_of, root};

/// The code that confirms every sign-up on the embedded AWS.
pub const SIGN_UP_CODE: &str = "123456";
/// The code that resets every password on the embedded AWS.
pub const PASSWORD_CODE: &str = "654321";

/// A stack that `local/test-stacks` deployed.
#[derive(Debug)]
pub struct Stack {
    /// The lifetime of the stack's access tokens.
    pub access_token_seconds: u64,
    name: &'static str,
    mode: Mode,
    allowed_origin: &'static str,
    outputs: HashMap<String, String>,
    http: ureq::Agent,
}

impl Stack {
    /// UserPassword, with the defaults and four roles. `User` signs up with an e-mail address, `Driver` with a phone
    /// number in +34 or +1, `Courier` with either and without confirmation. `Admin` is closed. E-mails have a code.
    pub fn standard() -> Self {
        Self::named("standard", Mode::UserPassword, "*", 60)
    }

    /// UserPassword, without the defaults: unknown users are hidden, refresh tokens don't rotate, one origin is
    /// allowed, access tokens last 5 minutes, passwords have 12 characters, web ACLs are on, contacts can't be changed,
    /// and deleting an account needs a sign-in of the last minute. Its only role, `Member`, skips confirmation.
    pub fn strict() -> Self {
        Self::named("strict", Mode::UserPassword, "https://app.example.com", 5)
    }

    /// Passwordless, with the defaults: `User` signs up with an e-mail address or a phone number in +34 or +1. `Admin`
    /// is closed.
    pub fn passwordless() -> Self {
        Self::named("passwordless", Mode::Passwordless, "*", 60)
    }

    /// Passwordless, without the defaults: unknown users are hidden, only +34 is allowed, codes are 15 seconds apart,
    /// at most 2 an hour and 3 a day, with their own message and sender. Contacts can't be changed, and deleting an
    /// account needs a sign-in of the last minute. Its only role, `Member`, skips confirmation. Routes that send
    /// messages allow 200 requests at once, then one a second.
    pub fn passwordless_strict() -> Self {
        Self::named("passwordless-strict", Mode::Passwordless, "*", 60)
    }

    /// The stack of this mode with the defaults.
    pub fn of(mode: Mode) -> Self {
        match mode {
            Mode::UserPassword => Self::standard(),
            Mode::Passwordless => Self::passwordless(),
        }
    }

    fn named(
        name: &'static str,
        mode: Mode,
        allowed_origin: &'static str,
        access_token_minutes: u64,
    ) -> Self {
        let outputs = read_stack_file(name);
        Self::new(name, mode, allowed_origin, access_token_minutes, &outputs)
    }

    pub(crate) fn new(
        name: &'static str,
        mode: Mode,
        allowed_origin: &'static str,
        access_token_minutes: u64,
        outputs: &str,
    ) -> Self {
        let outputs = outputs.lines().filter_map(|line| line.split_once('='));
        let outputs = outputs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build();
        Self {
            access_token_seconds: access_token_minutes * 60,
            name,
            mode,
            allowed_origin,
            outputs: outputs.collect(),
            http: config.into(),
        }
    }

    /// The stack's template with its macros expanded.
    pub fn template(&self) -> Value {
        serde_json::from_str(&read_stack_file(&format!("{}.json", self.name))).unwrap()
    }

    /// As [`Stack::template`], with the conditions decided by the stack's parameters.
    pub fn decided_template(&self) -> Value {
        serde_json::from_str(&read_stack_file(&format!("{}.decided.json", self.name))).unwrap()
    }

    /// The stack's output of this name.
    #[track_caller]
    pub fn output(&self, key: &str) -> &str {
        self.outputs
            .get(key)
            .unwrap_or_else(|| panic!("the stack {} has no output {key}", self.name))
    }

    /// The stack's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The stack's mode.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The id of the pool client.
    pub fn client_id(&self) -> &str {
        self.output("AuthApiUserPoolClientId")
    }

    /// The id of the pool.
    pub fn pool_id(&self) -> &str {
        self.output("AuthApiUserPoolId")
    }

    /// Sends a JSON body to a route, such as `/sign-in`, and checks the answer against the specification.
    #[track_caller]
    pub fn post(&self, route: &str, body: Value) -> Answer {
        self.post_bytes(route, body.to_string().as_bytes())
    }

    /// As [`Stack::post`], with an access token.
    #[track_caller]
    pub fn post_as(&self, token: &str, route: &str, body: Value) -> Answer {
        self.post_with(&[token], route, body.to_string().as_bytes())
    }

    /// Sends any body to a route, and checks the answer against the specification.
    #[track_caller]
    pub fn post_bytes(&self, route: &str, body: &[u8]) -> Answer {
        self.post_with(&[], route, body)
    }

    /// As [`Stack::post_bytes`], with an `Authorization` header for each of these access tokens.
    #[track_caller]
    pub fn post_with(&self, tokens: &[&str], route: &str, body: &[u8]) -> Answer {
        let json = ("content-type", "application/json".to_owned());
        let tokens = tokens.iter();
        let tokens = tokens.map(|token| ("authorization", format!("Bearer {token}")));
        let mut answer = self.send_with("POST", route, [json].into_iter().chain(tokens), body);
        answer.documented = Specification::of(self.mode).check(route, &answer);
        answer
    }

    /// Sends a request with any method to a route.
    pub fn send(&self, method: &str, route: &str, body: &[u8]) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send_with(method, route, headers, body)
    }

    /// Sends a request with these headers, which may repeat. The route may have a query string.
    pub fn send_with<V: TryInto<HeaderValue, Error: Into<Error>>>(
        &self,
        method: &str,
        route: &str,
        headers: impl IntoIterator<Item = (&'static str, V)>,
        body: &[u8],
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{route}", self.output("AuthApiURL")));
        let request = headers.into_iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        self.run(request, body)
    }

    /// Signs this person up.
    pub fn sign_up(&self, person: &Person, role: &str) -> Answer {
        let Person { username, password } = person;
        let body = json!({ "username": username, "password": password, "userAttributes": { "role": role } });
        self.post("/sign-up", body)
    }

    /// Signs this person in.
    pub fn sign_in(&self, person: &Person) -> Answer {
        let Person { username, password } = person;
        self.post(
            "/sign-in",
            json!({ "username": username, "password": password }),
        )
    }

    /// Sends a refresh token.
    pub fn refresh(&self, token: &str) -> Answer {
        self.post("/token/refresh", json!({ "refreshToken": token }))
    }

    /// A new user who has not confirmed the sign-up.
    #[track_caller]
    pub fn unconfirmed_user(&self) -> Person {
        let person = Person::of(self.mode);
        self.sign_up(&person, "User").assert_ok();
        person
    }

    /// Two new users of a Passwordless stack: one gets codes by SMS, the other by e-mail.
    #[track_caller]
    pub fn users_of_both_channels(&self) -> [Person; 2] {
        [Person::with_phone(), Person::with_email()].map(|person| {
            self.sign_up(&person, "User").assert_ok();
            self.confirm(person)
        })
    }

    /// A new user of a strict stack. The role needs no confirmation.
    #[track_caller]
    pub fn member(&self) -> Person {
        let person = Person::of(self.mode);
        self.sign_up(&person, "Member").assert_ok();
        person
    }

    /// A new user who can sign in.
    #[track_caller]
    pub fn confirmed_user(&self) -> Person {
        self.confirm(self.unconfirmed_user())
    }

    /// The same person, after the confirmation of the sign-up.
    #[track_caller]
    pub fn confirm(&self, person: Person) -> Person {
        let body = json!({ "username": person.username, "confirmationCode": SIGN_UP_CODE });
        self.post("/sign-up/confirm", body).assert_ok();
        person
    }

    /// Signs this person in, and checks the tokens.
    #[track_caller]
    pub fn tokens_of(&self, person: &Person) -> Tokens {
        match self.mode {
            Mode::UserPassword => Tokens::read(self, &self.sign_in(person).assert_ok()),
            Mode::Passwordless => {
                let challenge = self.challenge(person);
                self.tokens_for(person, &challenge)
            }
        }
    }

    /// Calls a public operation of Cognito.
    pub fn cognito_public(&self, operation: &str, body: Value) -> Answer {
        let request = Request::post(self.output("Endpoint"))
            .header("content-type", "application/x-amz-json-1.1")
            .header(
                "x-amz-target",
                format!("AWSCognitoIdentityProviderService.{operation}"),
            );
        self.run(request, body.to_string().as_bytes())
    }

    /// Starts a sign-in directly at Cognito, with this flow.
    pub fn initiate_auth(&self, flow: &str, parameters: Value) -> Answer {
        let body =
            json!({ "ClientId": self.client_id(), "AuthFlow": flow, "AuthParameters": parameters });
        self.cognito_public("InitiateAuth", body)
    }

    /// Calls an operation of Cognito on the stack's pool as an administrator.
    #[track_caller]
    pub fn cognito_admin(&self, operation: &str, mut body: Value) -> Value {
        body["UserPoolId"] = self.pool_id().into();
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        self.aws("cognito-idp", &target, body)
    }

    /// The user's attributes by name, and the status as `status`.
    #[track_caller]
    pub fn user(&self, username: &str) -> HashMap<String, String> {
        let user = self.cognito_admin("AdminGetUser", json!({ "Username": username }));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let attributes = user["UserAttributes"].as_array().unwrap().iter();
        attributes
            .map(|attribute| (text(&attribute["Name"]), text(&attribute["Value"])))
            .chain([("status".to_owned(), text(&user["UserStatus"]))])
            .collect()
    }

    /// Creates a user with a temporary password and these attributes beside the contact, as an administrator.
    #[track_caller]
    pub fn create_user(&self, person: &Person, attributes: &[(&str, &str)]) {
        let body = json!({
            "Username": person.username,
            "TemporaryPassword": person.password,
            "MessageAction": "SUPPRESS",
            "UserAttributes": user_attributes(person, attributes),
        });
        self.cognito_admin("AdminCreateUser", body);
    }

    /// Signs this person up directly at Cognito, with these attributes beside the contact.
    pub fn sign_up_directly(&self, person: &Person, attributes: &[(&str, &str)]) -> Answer {
        let body = json!({
            "ClientId": self.client_id(),
            "Username": person.username,
            "Password": person.password,
            "UserAttributes": user_attributes(person, attributes),
        });
        self.cognito_public("SignUp", body)
    }

    /// Whether the pool has this user.
    pub fn has_user(&self, username: &str) -> bool {
        let attribute = attribute_of(username);
        let filter = format!("{attribute} = \"{username}\"");
        let users = self.cognito_admin("ListUsers", json!({ "Filter": filter }));
        !users["Users"].as_array().unwrap().is_empty()
    }

    /// The user's groups.
    #[track_caller]
    pub fn groups_of(&self, username: &str) -> Vec<String> {
        let groups = self.cognito_admin("AdminListGroupsForUser", json!({ "Username": username }));
        let names = groups["Groups"].as_array().unwrap().iter();
        names
            .map(|group| group["GroupName"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The ARN of the function of this trigger, such as `PostConfirmation`.
    #[track_caller]
    pub fn trigger(&self, name: &str) -> String {
        let pool = self.cognito_admin("DescribeUserPool", json!({}));
        let arn = pool["UserPool"]["LambdaConfig"][name].as_str();
        arn.unwrap_or_else(|| panic!("no trigger {name}: {pool}"))
            .to_owned()
    }

    /// The function's environment.
    #[track_caller]
    pub fn environment(&self, function_arn: &str) -> Value {
        let configuration = self.lambda(Request::get, function_arn, "configuration", b"");
        configuration.json()["Environment"]["Variables"].take()
    }

    /// Invokes a function with an event. `Err` is the function's error.
    #[track_caller]
    pub fn invoke(&self, function_arn: &str, event: &Value) -> Result<Value, Value> {
        let event = event.to_string();
        let answer = self.lambda(Request::post, function_arn, "invocations", event.as_bytes());
        match answer.header("x-amz-function-error") {
            None => Ok(answer.json()),
            Some(_) => Err(answer.json()),
        }
    }

    #[track_caller]
    fn lambda(
        &self,
        method: fn(String) -> Builder,
        function_arn: &str,
        what: &str,
        body: &[u8],
    ) -> Answer {
        let (endpoint, name) = (self.output("Endpoint"), function_arn.rsplit(':').next());
        let name = name.unwrap();
        let request = method(format!("{endpoint}/2015-03-31/functions/{name}/{what}"));
        let request = request.header("authorization", self.authorization("lambda"));
        let answer = self.run(request, body);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    /// All log lines of the stack's functions, each with the function's logical name.
    #[track_caller]
    pub fn logs(&self) -> Vec<(String, String)> {
        let template = self.decided_template();
        let groups = template["Resources"].as_object().unwrap().iter();
        let groups = groups.filter(|(_, resource)| resource["Type"] == "AWS::Logs::LogGroup");
        let mut lines = Vec::new();
        for (group, _) in groups {
            let function = group.trim_end_matches("LogGroup");
            let group = format!("/auth-rocket/{}/{function}", self.name);
            let mut page = json!({ "logGroupName": group });
            loop {
                let events = self.aws("logs", "Logs_20140328.FilterLogEvents", page.clone());
                for event in events["events"].as_array().unwrap() {
                    let line = event["message"].as_str().unwrap().to_owned();
                    lines.push((function.to_owned(), line));
                }
                match &events["nextToken"] {
                    Value::Null => break,
                    next => page["nextToken"] = next.clone(),
                }
            }
        }
        lines
    }

    /// The ARNs of the resources that this stack's web ACLs protect.
    #[track_caller]
    pub fn resources_with_web_acl(&self) -> Vec<String> {
        let waf = |operation: &str, body| {
            self.aws("wafv2", &format!("AWSWAF_20190729.{operation}"), body)
        };
        let acls = waf("ListWebACLs", json!({ "Scope": "REGIONAL" }));
        let prefix = format!("{}-", self.name);
        let acls = acls["WebACLs"].as_array().unwrap().iter();
        acls.filter(|acl| acl["Name"].as_str().unwrap().starts_with(&prefix))
            .flat_map(|acl| {
                let arn = json!({ "WebACLArn": acl["ARN"] });
                let resources = waf("ListResourcesForWebACL", arn);
                resources["ResourceArns"].as_array().unwrap().clone()
            })
            .map(|arn| arn.as_str().unwrap().to_owned())
            .collect()
    }

    /// CloudFormation's answer to the creation of a stack of this template with parameters such as `Roles=User`.
    pub fn create_stack(&self, name: &str, template: &Value, parameters: &[&str]) -> Answer {
        let template = url_encoded(&template.to_string());
        let mut form = format!("Action=CreateStack&StackName={name}&TemplateBody={template}");
        for (number, parameter) in (1..).zip(parameters) {
            let (key, value) = parameter.split_once('=').unwrap();
            let (member, value) = (format!("Parameters.member.{number}"), url_encoded(value));
            form += &format!("&{member}.ParameterKey={key}&{member}.ParameterValue={value}");
        }
        self.cloudformation(&form)
    }

    /// CloudFormation's answer to a request such as `Action=DescribeStacks`.
    pub(crate) fn cloudformation(&self, form: &str) -> Answer {
        let request = Request::post(self.output("Endpoint"))
            .header("authorization", self.authorization("cloudformation"))
            .header("content-type", "application/x-www-form-urlencoded");
        self.run(request, format!("{form}&Version=2010-05-15").as_bytes())
    }

    /// The AWS CLI's JSON output for these arguments, such as `cloudwatch describe-alarms`.
    #[track_caller]
    pub fn cli(&self, arguments: &[&str]) -> Value {
        let aws = ["run", "aws", "--output", "json"];
        serde_json::from_str(&self.embedded_aws(&[&aws, arguments].concat())).unwrap()
    }

    /// The output of `local/embedded-aws` for these arguments.
    #[track_caller]
    pub fn embedded_aws(&self, arguments: &[&str]) -> String {
        let port = self.output("Endpoint").rsplit(':').next().unwrap();
        let mut command = Command::new(root().join("local/embedded-aws"));
        output_of(command.args(arguments).env("PORT", port))
    }

    /// An `Authorization` header. The embedded AWS checks the key of the account, but not the signature.
    fn authorization(&self, service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={}/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0",
            self.output("AWS_ACCESS_KEY_ID")
        )
    }

    #[track_caller]
    pub(crate) fn aws(&self, service: &str, target: &str, body: Value) -> Value {
        let request = Request::post(self.output("Endpoint"))
            .header("authorization", self.authorization(service))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        let answer = self.run(request, body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{target}: {}", answer.text);
        answer.json()
    }

    /// The body at this URL.
    #[track_caller]
    pub fn get(&self, url: &str) -> String {
        let answer = self.run(Request::get(url), b"");
        assert_eq!(answer.status, 200, "{url}: {}", answer.text);
        answer.text
    }

    fn run(&self, request: ureq::http::request::Builder, body: &[u8]) -> Answer {
        let response = self.http.run(request.body(body).unwrap());
        let response = response.unwrap_or_else(|error| {
            panic!("The embedded AWS does not answer ({error}): run `make test`.")
        });
        Answer::new(response, self.allowed_origin)
    }
}

fn user_attributes(person: &Person, more: &[(&str, &str)]) -> Value {
    let contact = (person.attribute(), &*person.username);
    let attributes = [&[contact], more].concat().into_iter();
    let attributes = attributes.map(|(name, value)| json!({ "Name": name, "Value": value }));
    attributes.collect()
}

/// A file that `local/test-stacks` wrote about a stack.
fn read_stack_file(name: &str) -> String {
    std::env::var("TEST_STACKS")
        .ok()
        .and_then(|folder| std::fs::read_to_string(Path::new(&folder).join(name)).ok())
        .unwrap_or_else(|| panic!("{name} is not deployed: run `make test`."))
}

/// The text, percent-encoded.
pub fn url_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
