//! Stacks with every option that the others leave off: mail of its own, a domain, alarms, traces.

use std::collections::BTreeMap;

use e2e::{Mode, Stack, TRIGGERS, assert_lists, functions, resource, text};
use serde_json::{Value, json};

const PARAMETERS: [(&str, &str); 16] = [
    ("Roles", "User,Driver,Courier,Admin"),
    ("PhoneSignUpRoles", "Driver"),
    ("EmailVerification", "LINK"),
    ("ConfirmByLinkMessage", "<p>{##Yes, it is me##}</p>"),
    ("ConfirmByCodeMessage", "Say {####}."),
    ("ResetEmailSubject", "A new password"),
    ("ResetEmailMessage", "<p>Set it with {####}.</p>"),
    (
        "SesIdentityArn",
        "arn:aws:ses:us-east-1:000000000000:identity/example.com",
    ),
    ("EmailFrom", "Example <no-reply@example.com>"),
    ("EmailReplyTo", "help@example.com"),
    (
        "CertificateArn",
        "arn:aws:acm:us-east-1:000000000000:certificate/1",
    ),
    ("ContactChanges", "REFUSED"),
    ("AlarmEmail", "ops@example.com"),
    ("AlarmSignInFailures", "50"),
    ("AlarmCodesSent", "40"),
    ("TracingMode", "Active"),
];

/// The triggers that tell Cognito a refusal as an error.
const REFUSING: [&str; 4] = [
    "PreSignUp",
    "DefineAuthChallenge",
    "CreateAuthChallenge",
    "CustomMessage",
];

/// The page that says which alarms there are, and the beginning of its row about the functions whose failed requests
/// ring: the triggers above, and the routes that fail where one of them can't start.
const OPERATIONS: &str = include_str!("../../../docs/operations.md");
const FAILED_REQUESTS: &str = "| `<stack> <Function> failed requests` |";

/// A stack with everything.
struct Everything {
    stack: Stack,
    resources: BTreeMap<(String, String), String>,
}

impl Everything {
    /// The functions' own names, by those that they have in the template.
    fn functions(&self) -> BTreeMap<&str, &str> {
        let functions = self.resources.iter();
        functions
            .filter(|((kind, _), _)| kind == "AWS::Lambda::Function")
            .map(|((_, name), id)| (name.strip_suffix("Function").unwrap(), &**id))
            .collect()
    }

    /// That its functions are the mode's routes and these triggers.
    fn has_functions(&self, triggers: &[impl ToString]) {
        let routes = self.stack.mode().routes().map(|route| route.resource());
        let expected = routes.chain(triggers.iter().map(ToString::to_string));
        let found = self.functions().into_keys().map(str::to_owned);
        let file = "template.yaml, functions";
        assert_lists(file, &found.collect(), &expected.collect());
    }

    #[track_caller]
    fn resource(&self, kind: &str, name: &str) -> &str {
        let id = self.resources.get(&(kind.to_owned(), name.to_owned()));
        id.unwrap_or_else(|| panic!("no {kind} {name}: {:?}", self.resources))
    }

    fn pool(&self) -> Value {
        self.stack.cognito_admin("DescribeUserPool", json!({}))["UserPool"].take()
    }

    /// That the emails come from the identity, with these texts.
    fn has_its_mail(&self) {
        let pool = self.pool();
        assert_eq!(
            pool["EmailConfiguration"],
            json!({
                "EmailSendingAccount": "DEVELOPER",
                "SourceArn": "arn:aws:ses:us-east-1:000000000000:identity/example.com",
                "From": "Example <no-reply@example.com>",
                "ReplyToEmailAddress": "help@example.com",
            })
        );
        let messages = &pool["VerificationMessageTemplate"];
        assert_eq!(messages["EmailMessageByLink"], "<p>{##Yes, it is me##}</p>");
        assert_eq!(messages["EmailMessage"], "Say {####}.");
    }

    /// That the domain leads to the API, by its record and its mapping.
    fn has_its_domain(&self, domain: &str, zone: &str) {
        let aws = &self.stack;
        assert_eq!(aws.output("AuthApiURL"), format!("https://{domain}/auth"));
        let of_domain = |what| aws.cli(&["apigateway", what, "--domain-name", domain]);
        let names = of_domain("get-domain-name");
        assert_eq!(
            names["regionalCertificateArn"],
            "arn:aws:acm:us-east-1:000000000000:certificate/1"
        );
        assert_eq!(names["securityPolicy"], "TLS_1_2");
        let mappings = of_domain("get-base-path-mappings");
        let [mapping] = &mappings["items"].as_array().unwrap()[..] else {
            panic!("not one mapping: {mappings}");
        };
        let api = self.resource("AWS::ApiGateway::RestApi", "Api");
        assert_eq!(
            (&mapping["restApiId"], &mapping["stage"]),
            (&json!(api), &json!("production"))
        );
        let records = ["route53", "list-resource-record-sets", "--hosted-zone-id"];
        let records = aws.cli(&[&records[..], &[zone]].concat());
        let record = records["ResourceRecordSets"].as_array().unwrap().iter();
        let mut record = record.filter(|record| record["Type"] == "A");
        let record = record
            .next()
            .unwrap_or_else(|| panic!("no record: {records}"));
        assert_eq!(record["Name"], format!("{domain}."));
        let target = text(&record["AliasTarget"]["DNSName"]);
        let regional = text(&names["regionalDomainName"]);
        assert_eq!(target.trim_end_matches('.'), regional);
    }

    /// That the stage and every function send traces.
    fn has_its_traces(&self) {
        let api = self.resource("AWS::ApiGateway::RestApi", "Api");
        let stage = ["--rest-api-id", api, "--stage-name", "production"];
        let stage = [&["apigateway", "get-stage"][..], &stage].concat();
        assert_eq!(self.stack.cli(&stage)["tracingEnabled"], true);
        let functions = self.stack.cli(&["lambda", "list-functions"]);
        for id in self.functions().values() {
            let mut functions = functions["Functions"].as_array().unwrap().iter();
            let function = functions.find(|function| function["FunctionName"] == *id);
            let mode = &function.unwrap()["TracingConfig"]["Mode"];
            assert_eq!(*mode, "Active", "{id}");
        }
    }

    /// That every function has its alarms, the stack its three, and all of them reach the address.
    fn has_its_alarms(&self) {
        let (aws, name) = (&self.stack, self.stack.name());
        let topic = self.resource("AWS::SNS::Topic", "AlarmTopic");
        let subscriptions = aws.cli(&["sns", "list-subscriptions-by-topic", "--topic-arn", topic]);
        let [subscription] = &subscriptions["Subscriptions"].as_array().unwrap()[..] else {
            panic!("not one subscription: {subscriptions}");
        };
        assert_eq!(
            (&subscription["Protocol"], &subscription["Endpoint"]),
            (&json!("email"), &json!("ops@example.com"))
        );

        let own = format!("AuthRocket/{name}");
        let watched = |namespace: &str, metric: &str, dimensions: &[(&str, &str)]| {
            let dimensions = dimensions.iter();
            let dimensions: Vec<Value> = dimensions
                .map(|(name, value)| json!({ "Name": name, "Value": value }))
                .collect();
            json!({ "Namespace": namespace, "MetricName": metric, "Dimensions": dimensions })
        };
        // Of so many times five minutes.
        let rings = |mut alarm: Value, condition: &str, threshold: f64, times: [u64; 2]| {
            alarm["Statistic"] = "Sum".into();
            alarm["ComparisonOperator"] = condition.into();
            alarm["Threshold"] = threshold.into();
            alarm["times"] = json!(times);
            alarm
        };
        let (above, from) = ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold");
        let api = [("ApiName", name), ("Stage", "production")];
        let server_errors = watched("AWS/ApiGateway", "5XXError", &api);
        let mut server_errors = rings(server_errors, above, 0.01, [2, 3]);
        server_errors["Statistic"] = "Average".into();
        let failures = watched(&own, "SignInFailures", &[]);
        let codes = watched(&own, "CodesSent", &[]);
        let mut expected = BTreeMap::from([
            ("server errors".to_owned(), server_errors),
            (
                "sign-in failures".to_owned(),
                rings(failures, from, 50.0, [1, 1]),
            ),
            ("codes sent".to_owned(), rings(codes, from, 40.0, [1, 1])),
        ]);
        let failing = OPERATIONS
            .lines()
            .find(|line| line.starts_with(FAILED_REQUESTS));
        let failing = failing.expect("docs/operations.md has no row of failed requests");
        for (function, id) in self.functions() {
            let of_lambda = |metric| {
                let alarm = watched("AWS/Lambda", metric, &[("FunctionName", id)]);
                (
                    format!("{function} {metric}"),
                    rings(alarm, above, 0.0, [1, 1]),
                )
            };
            expected.extend([of_lambda("Throttles")]);
            // A refusal is an error to Lambda; it must not ring.
            if !REFUSING.contains(&function) {
                expected.extend([of_lambda("Errors")]);
            }
            if failing.contains(&format!("`{function}`")) {
                let mut names = functions().into_iter();
                let line = names.find(|name| resource(name) == function).unwrap();
                let alarm = watched(
                    &own,
                    "Requests",
                    &[("function", &line), ("outcome", "failure")],
                );
                let alarm = rings(alarm, above, 0.0, [2, 3]);
                expected.insert(format!("{function} failed requests"), alarm);
            }
        }

        let alarms = ["cloudwatch", "describe-alarms", "--alarm-name-prefix"];
        let prefix = format!("{name} ");
        let mut alarms = aws.cli(&[&alarms[..], &[&prefix]].concat());
        let alarms = alarms["MetricAlarms"].take();
        let mut found = BTreeMap::new();
        for alarm in alarms.as_array().unwrap() {
            let what = text(&alarm["AlarmName"]);
            for actions in ["AlarmActions", "OKActions"] {
                assert_eq!(alarm[actions], json!([topic]), "{what}");
            }
            assert_eq!(alarm["TreatMissingData"], "notBreaching", "{what}");
            assert_eq!(alarm["Period"], 300, "{what}");
            let keys = [
                "Namespace",
                "MetricName",
                "Dimensions",
                "Statistic",
                "ComparisonOperator",
                "Threshold",
            ];
            let mut watched: Value = keys
                .map(|key| (key, alarm[key].clone()))
                .into_iter()
                .collect();
            // All of them where it does not say how many.
            let of = alarm["EvaluationPeriods"].as_u64().unwrap();
            let times = alarm["DatapointsToAlarm"].as_u64().unwrap_or(of);
            watched["times"] = json!([times, of]);
            found.insert(what.strip_prefix(&prefix).unwrap().to_owned(), watched);
        }
        let names = |alarms: &BTreeMap<String, Value>| alarms.keys().cloned().collect();
        assert_lists("template.yaml, alarms", &names(&found), &names(&expected));
        assert_eq!(found, expected);
    }

    /// That the dashboard can be read, and shows every metric of the functions'.
    fn has_its_dashboard(&self) {
        let name = self.resource("AWS::CloudWatch::Dashboard", "Dashboard");
        assert_eq!(name, format!("{}-us-east-1", self.stack.name()));
        let dashboard = ["cloudwatch", "get-dashboard", "--dashboard-name", name];
        let body = text(&self.stack.cli(&dashboard)["DashboardBody"]);
        let body: Value = serde_json::from_str(&body).unwrap_or_else(|error| {
            panic!("the dashboard can't be read ({error}): {body}");
        });
        let mut shown = Vec::new();
        let own = format!("AuthRocket/{}", self.stack.name());
        for widget in body["widgets"].as_array().unwrap() {
            let properties = &widget["properties"];
            assert_eq!(properties["region"], "us-east-1", "{widget}");
            for metric in properties["metrics"].as_array().unwrap() {
                match metric[0].as_str() {
                    Some("AWS/ApiGateway") => {
                        let api = json!(["ApiName", self.stack.name(), "Stage", "production"]);
                        assert_eq!(metric.as_array().unwrap()[2..6], *api.as_array().unwrap());
                    }
                    Some(namespace) => {
                        assert_eq!(namespace, own);
                        shown.push(text(&metric[1]));
                    }
                    None => {
                        let search = text(&metric[0]["expression"]);
                        let (schema, rest) = search.split_once("} MetricName=\"").unwrap();
                        let schema = schema.strip_prefix("SEARCH('{").unwrap();
                        // To the letter, or nothing is found.
                        assert_eq!(schema, format!("\"{own}\",function,outcome"));
                        shown.push(rest.split('"').next().unwrap().to_owned());
                    }
                }
            }
        }
        shown.sort();
        let all = [
            "CodesRefused",
            "CodesSent",
            "Requests",
            "SignInFailures",
            "SignIns",
            "SignUps",
            "UpstreamLatency",
            "UpstreamRetries",
        ];
        assert_eq!(shown, all);
    }
}

/// Deploys a stack with everything under this domain, and looks at what both modes have.
fn everything(name: &'static str, mode: Mode, domain: &str) -> Everything {
    let reference = ["--name", domain, "--caller-reference", name];
    let zone = [&["route53", "create-hosted-zone"][..], &reference].concat();
    let zone = text(&Stack::standard().cli(&zone)["HostedZone"]["Id"]);
    let zone = zone.rsplit('/').next().unwrap();
    let domain_of = [("DomainName", domain), ("HostedZoneId", zone)];
    let stack = Stack::deploy(name, mode, &[&PARAMETERS[..], &domain_of].concat());
    let stack = Everything {
        resources: stack.resources(),
        stack,
    };
    stack.has_its_mail();
    stack.has_its_domain(domain, zone);
    stack.has_its_traces();
    stack.has_its_alarms();
    stack.has_its_dashboard();
    stack
}

#[test]
fn a_stack_with_every_option_deploys_and_does_what_they_say() {
    let mode = Mode::UserPassword;
    let stack = everything("everything-on", mode, "auth.example.com");
    stack.has_functions(&["PreSignUp", "PostConfirmation", "CustomMessage"]);

    // The embedded AWS does not call this trigger for a forgotten password.
    let pool = stack.pool();
    let function = pool["LambdaConfig"]["CustomMessage"].as_str().unwrap();
    let mut event = json!({
        "triggerSource": "CustomMessage_ForgotPassword",
        "request": { "codeParameter": "{####}", "userAttributes": { "email": "user@example.com" } },
        "response": { "smsMessage": null, "emailMessage": null, "emailSubject": null },
    });
    let answer = stack.stack.invoke(function, &event).unwrap();
    event["response"] = json!({
        "smsMessage": null,
        "emailMessage": "<p>Set it with {####}.</p>",
        "emailSubject": "A new password",
    });
    assert_eq!(answer, event);
}

#[test]
fn a_passwordless_stack_with_every_option_deploys_and_does_what_they_say() {
    let mode = Mode::Passwordless;
    let stack = everything("everything-otp", mode, "otp.example.com");
    stack.has_functions(&TRIGGERS.map(resource));
}
