//! A stack with every option that the others leave off: mail of its own, a domain, alarms, traces.

use std::thread::sleep;
use std::time::Duration;

use e2e::{Mode, Stack};
use serde_json::{Value, json};

const NAME: &str = "everything-on";
const PARAMETERS: [(&str, &str); 17] = [
    ("Mode", "UserPassword"),
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
    ("DomainName", "auth.example.com"),
    (
        "CertificateArn",
        "arn:aws:acm:us-east-1:000000000000:certificate/1",
    ),
    ("AlarmEmail", "ops@example.com"),
    ("AlarmSignInFailures", "50"),
    ("AlarmCodesSent", "40"),
    ("TracingMode", "Active"),
];

/// Deploys the stack and gives its description once it is complete.
#[track_caller]
fn deploy(stack: &Stack) -> Value {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/everything-on.json");
    std::fs::write(file, stack.template().to_string()).unwrap();
    let bucket = ["--bucket", "test-stacks", "--key", "everything-on.json"];
    stack.cli(&[&["s3api", "put-object", "--body", file][..], &bucket].concat());
    // In a bucket, as it is larger than what a request may hold.
    let template = format!(
        "{}/test-stacks/everything-on.json",
        stack.output("Endpoint")
    );
    let parameters =
        PARAMETERS.map(|(key, value)| json!({ "ParameterKey": key, "ParameterValue": value }));
    let parameters = Value::from(parameters.to_vec()).to_string();
    stack.cli(&[
        "cloudformation",
        "create-stack",
        "--stack-name",
        NAME,
        "--template-url",
        &template,
        "--parameters",
        &parameters,
        "--capabilities",
        "CAPABILITY_IAM",
    ]);
    for _ in 0..120 {
        let description = describe(stack);
        match description["StackStatus"].as_str() {
            Some("CREATE_IN_PROGRESS") => sleep(Duration::from_millis(500)),
            Some("CREATE_COMPLETE") => return description,
            _ => break,
        }
    }
    panic!("the stack is not complete: {}", describe(stack));
}

fn describe(stack: &Stack) -> Value {
    let arguments = ["cloudformation", "describe-stacks", "--stack-name", NAME];
    stack.cli(&arguments)["Stacks"][0].clone()
}

#[test]
fn a_stack_with_every_option_deploys_and_does_what_they_say() {
    let standard = Stack::standard();
    let description = deploy(&standard);
    let output = |name: &str| {
        let outputs = description["Outputs"].as_array().unwrap().iter();
        let mut outputs = outputs.filter(|output| output["OutputKey"] == name);
        outputs.next().unwrap()["OutputValue"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(output("AuthApiURL"), "https://auth.example.com/auth");

    let pool_id = output("AuthApiUserPoolId");
    let pool = standard.cli(&[
        "cognito-idp",
        "describe-user-pool",
        "--user-pool-id",
        &pool_id,
    ]);
    let pool = &pool["UserPool"];
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

    // The embedded AWS does not call this trigger for a forgotten password.
    let function = pool["LambdaConfig"]["CustomMessage"].as_str().unwrap();
    let mut event = json!({
        "triggerSource": "CustomMessage_ForgotPassword",
        "request": { "codeParameter": "{####}", "userAttributes": { "email": "user@example.com" } },
        "response": { "smsMessage": null, "emailMessage": null, "emailSubject": null },
    });
    let answer = standard.invoke(function, &event).unwrap();
    event["response"] = json!({
        "smsMessage": null,
        "emailMessage": "<p>Set it with {####}.</p>",
        "emailSubject": "A new password",
    });
    assert_eq!(answer, event);

    let alarms = standard.cli(&["cloudwatch", "describe-alarms", "--alarm-name-prefix", NAME]);
    let alarms = alarms["MetricAlarms"].as_array().unwrap();
    let threshold = |name: &str| {
        let alarm = alarms
            .iter()
            .find(|alarm| alarm["AlarmName"] == format!("{NAME} {name}"));
        let alarm = alarm.unwrap_or_else(|| panic!("no alarm {name}: {alarms:?}"));
        assert_eq!(alarm["AlarmActions"], alarm["OKActions"]);
        assert_eq!(alarm["TreatMissingData"], "notBreaching");
        (
            alarm["Threshold"].as_f64().unwrap(),
            alarm["Namespace"].as_str().unwrap().to_owned(),
        )
    };
    let own = format!("AuthRocket/{NAME}");
    assert_eq!(threshold("sign-in failures"), (50.0, own.clone()));
    assert_eq!(threshold("codes sent"), (40.0, own));
    assert_eq!(
        threshold("server errors"),
        (0.01, "AWS/ApiGateway".to_owned())
    );
    let functions = Mode::UserPassword.routes().map(|route| route.resource());
    let functions = functions.chain(["PreSignUp", "PostConfirmation"].map(str::to_owned));
    for function in functions {
        for metric in ["Errors", "Throttles"] {
            let expected = (0.0, "AWS/Lambda".to_owned());
            assert_eq!(threshold(&format!("{function} {metric}")), expected);
        }
    }
}
