//! Stacks with every option that the other test stacks leave off: e-mail through SES, a domain, alarms and tracing.

use std::collections::{BTreeMap, BTreeSet};

use e2e::{Mode, Stack, TRIGGERS, assert_lists, resource, text, trigger_event};
use serde_json::{Value, json};

const PARAMETERS: [&str; 16] = [
    "Roles=User,Driver,Courier,Admin",
    "PhoneSignUpRoles=Driver",
    "EmailVerification=LINK",
    "ConfirmByLinkMessage=<p>{##Yes, it is me##}</p>",
    "ConfirmByCodeMessage=Say {####}.",
    "ResetEmailSubject=A new password",
    "ResetEmailMessage=<p>Set it with {####}.</p>",
    "SesIdentityArn=arn:aws:ses:us-east-1:000000000000:identity/example.com",
    "EmailFrom=Example <no-reply@example.com>",
    "EmailReplyTo=help@example.com",
    "CertificateArn=arn:aws:acm:us-east-1:000000000000:certificate/1",
    "ContactChanges=REFUSED",
    "AlarmEmail=ops@example.com",
    "AlarmSignInFailures=50",
    "AlarmCodesSent=40",
    "TracingMode=Active",
];

/// The properties of an alarm that the snapshot shows.
const ALARM: &str = "Namespace MetricName Dimensions Statistic Period ComparisonOperator Threshold \
    EvaluationPeriods DatapointsToAlarm TreatMissingData";

/// The page that lists the alarms, and the start of its row that names the functions with the alarm `failed requests`.
const OPERATIONS: &str = include_str!("../../../docs/operations.md");
const FAILED_REQUESTS: &str = "| `<stack> <Function> failed requests` |";

/// A stack with every option.
struct FullStack {
    stack: Stack,
    resources: BTreeMap<(String, String), String>,
}

impl FullStack {
    /// The physical names of the functions by their logical names.
    fn functions(&self) -> BTreeMap<&str, &str> {
        let functions = self.resources.iter();
        functions
            .filter(|((kind, _), _)| kind == "AWS::Lambda::Function")
            .map(|((_, name), id)| (name.strip_suffix("Function").unwrap(), &**id))
            .collect()
    }

    /// Checks that its functions are the mode's routes and these triggers.
    fn assert_functions(&self, triggers: &[impl ToString]) {
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

    /// The sender and the texts of emails.
    fn mail(&self) -> String {
        let mut pool = self.pool();
        let settings = ["EmailConfiguration", "VerificationMessageTemplate"];
        settings.map(|key| pool[key].take().to_string()).join("\n")
    }

    /// The domain of the API: its certificate, its mapping and its DNS record.
    fn domain(&self, domain: &str, zone: &str) -> String {
        let aws = &self.stack;
        assert_eq!(aws.output("AuthApiURL"), format!("https://{domain}/auth"));
        let of_domain = |what| aws.cli(&["apigateway", what, "--domain-name", domain]);
        let name = of_domain("get-domain-name");
        let regional = text(&name["regionalDomainName"]);
        let mappings = of_domain("get-base-path-mappings");
        let records = ["route53", "list-resource-record-sets", "--hosted-zone-id"];
        let mut records = aws.cli(&[&records[..], &[zone]].concat());
        let records = records["ResourceRecordSets"].as_array_mut().unwrap();
        records.retain(|record| record["Type"] == "A");
        let targets = records
            .iter()
            .map(|record| &record["AliasTarget"]["DNSName"]);
        let texts = [
            json!([name["regionalCertificateArn"], name["securityPolicy"]]),
            mappings["items"].clone(),
            targets.cloned().collect(),
        ];
        let api = self.resource("AWS::ApiGateway::RestApi", "Api");
        let texts = texts.map(|text| text.to_string()).join("\n");
        texts.replace(api, "<api>").replace(&regional, "<regional>")
    }

    /// Checks that the stage and every function send traces.
    fn assert_tracing(&self) {
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

    /// The alarms. One that several functions have is listed once, with the functions that lack it. Checks that every
    /// alarm notifies the address.
    fn alarms(&self) -> String {
        let (aws, functions) = (&self.stack, self.functions());
        let topic = self.resource("AWS::SNS::Topic", "AlarmTopic");
        let subscriptions = aws.cli(&["sns", "list-subscriptions-by-topic", "--topic-arn", topic]);
        let [subscription] = &subscriptions["Subscriptions"].as_array().unwrap()[..] else {
            panic!("not one subscription: {subscriptions}");
        };
        assert_eq!(subscription["Protocol"], "email");
        assert_eq!(subscription["Endpoint"], "ops@example.com");

        let prefix = format!("{} ", aws.name());
        let describe = ["cloudwatch", "describe-alarms", "--alarm-name-prefix"];
        let found = aws.cli(&[&describe[..], &[&prefix]].concat());
        let mut alarms: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for alarm in found["MetricAlarms"].as_array().unwrap() {
            for actions in ["AlarmActions", "OKActions"] {
                assert_eq!(alarm[actions], json!([topic]), "{alarm}");
            }
            let name = text(&alarm["AlarmName"]);
            let rest = name.strip_prefix(&prefix).unwrap();
            let watched = ALARM.split(' ').map(|key| alarm[key].to_string());
            let mut watched = watched.collect::<Vec<_>>().join(" ");
            let mut functions = functions.iter();
            let of = functions.find(|(function, _)| rest.starts_with(&format!("{function} ")));
            let (function, what) = match of {
                Some((function, id)) => {
                    let mut names = e2e::functions().into_iter();
                    let line = names.find(|name| resource(name) == **function).unwrap();
                    watched = watched.replace(*id, "<id>");
                    watched = watched.replace(&format!("\"{line}\""), "<function>");
                    (Some(*function), rest.split_once(' ').unwrap().1)
                }
                None => (None, rest),
            };
            let of = alarms.entry(format!("{what}: {watched}")).or_default();
            of.extend(function);
        }

        let all: BTreeSet<&str> = functions.into_keys().collect();
        let row = OPERATIONS
            .lines()
            .find(|line| line.starts_with(FAILED_REQUESTS));
        let row = row.expect("docs/operations.md has no row of failed requests");
        let failing = row.split('`').filter(|name| all.contains(name)).collect();
        let lines = alarms.into_iter().map(|(alarm, of)| {
            if alarm.starts_with("failed requests") {
                assert_lists("docs/operations.md, failed requests", &failing, &of);
                return format!("{alarm}\n");
            }
            let without: Vec<_> = all.difference(&of).collect();
            match of.is_empty() {
                true => format!("{alarm}\n"),
                false => format!("{alarm}, of every function but {without:?}\n"),
            }
        });
        lines.collect()
    }

    /// The widgets of the dashboard. The snapshot has them verbatim, because a misspelt `SEARCH` finds nothing.
    fn dashboard(&self) -> String {
        let name = self.resource("AWS::CloudWatch::Dashboard", "Dashboard");
        assert_eq!(name, format!("{}-us-east-1", self.stack.name()));
        let dashboard = ["cloudwatch", "get-dashboard", "--dashboard-name", name];
        let body = text(&self.stack.cli(&dashboard)["DashboardBody"]);
        let body: Value = serde_json::from_str(&body).unwrap_or_else(|error| {
            panic!("the dashboard can't be read ({error}): {body}");
        });
        let widgets = body["widgets"].as_array().unwrap().iter();
        widgets
            .map(|widget| format!("{}\n", widget["properties"]))
            .collect()
    }
}

/// Deploys a stack with every option and this domain, and checks what both modes have.
fn deploy(name: &'static str, mode: Mode, domain: &str) -> FullStack {
    let reference = ["--name", domain, "--caller-reference", name];
    let zone = [&["route53", "create-hosted-zone"][..], &reference].concat();
    let zone = text(&Stack::standard().cli(&zone)["HostedZone"]["Id"]);
    let zone = zone.rsplit('/').next().unwrap();
    let (name_of_api, zone_of_api) = (
        format!("DomainName={domain}"),
        format!("HostedZoneId={zone}"),
    );
    let parameters = [&PARAMETERS[..], &[&name_of_api, &zone_of_api]].concat();
    let stack = Stack::deploy(name, mode, &parameters);
    let stack = FullStack {
        resources: stack.resources(),
        stack,
    };
    stack.assert_tracing();
    let (mail, domain) = (stack.mail(), stack.domain(domain, zone));
    let (alarms, dashboard) = (stack.alarms(), stack.dashboard());
    insta::assert_snapshot!(mode.name(), [mail, domain, alarms, dashboard].join("\n"));
    stack
}

#[test]
fn user_password_stack_deploys_with_every_option() {
    let mode = Mode::UserPassword;
    let stack = deploy("everything-on", mode, "auth.example.com");
    stack.assert_functions(&["PreSignUp", "PostConfirmation", "CustomMessage"]);

    // The embedded AWS does not call this trigger for a password reset.
    let pool = stack.pool();
    let function = pool["LambdaConfig"]["CustomMessage"].as_str().unwrap();
    let mut event = trigger_event("custom-message");
    event["response"] = json!({ "smsMessage": null, "emailMessage": null, "emailSubject": null });
    let answer = stack.stack.invoke(function, &event).unwrap();
    event["response"] = json!({
        "smsMessage": null,
        "emailMessage": "<p>Set it with {####}.</p>",
        "emailSubject": "A new password",
    });
    assert_eq!(answer, event);
}

#[test]
fn passwordless_stack_deploys_with_every_option() {
    let mode = Mode::Passwordless;
    let stack = deploy("everything-otp", mode, "otp.example.com");
    stack.assert_functions(&TRIGGERS.map(resource));
}
