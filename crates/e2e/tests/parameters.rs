//! The stack's parameters. CloudFormation rejects bad values and wrong combinations before it creates a resource.

use e2e::{Answer, Stack};
use serde_json::json;

/// CloudFormation's answer to a stack with the template's parameters and rules, and almost no resources.
fn create(name: &str, parameters: &[(&str, &str)]) -> Answer {
    let stack = Stack::standard();
    let template = stack.template();
    let small = json!({
        "Parameters": template["Parameters"],
        "Rules": template["Rules"],
        "Resources": { "Nothing": { "Type": "AWS::CloudFormation::WaitConditionHandle" } },
    });
    stack.create_stack(name, &small, parameters)
}

#[test]
fn valid_parameter_combinations_are_accepted() {
    for (name, parameters) in [
        ("as-default", vec![("Mode", "UserPassword")]),
        (
            "as-passwordless",
            vec![("Mode", "Passwordless"), ("PhoneSignUpRoles", "User")],
        ),
        (
            "as-passwordless-with-its-own-roles",
            vec![
                ("Mode", "Passwordless"),
                ("Roles", "Member"),
                ("PhoneSignUpRoles", "Member"),
            ],
        ),
        (
            "as-prod",
            vec![
                ("DeletionProtection", "ACTIVE"),
                ("UserExistenceErrors", "ENABLED"),
            ],
        ),
        (
            "with-sms-from-elsewhere",
            vec![
                ("Mode", "Passwordless"),
                ("PhoneSignUpRoles", "User"),
                ("SmsRegion", "us-gov-west-1"),
                ("SmsSenderId", "2Rocket"),
                ("SmsMessage", "Your code is {####}.\n\n@example.com #{####}"),
                ("AllowedPhonePrefixes", "+1876,+1876555"),
            ],
        ),
        (
            "of-an-app",
            vec![("AllowedOrigin", "capacitor://localhost")],
        ),
        (
            "of-a-port",
            vec![("AllowedOrigin", "https://app.example.com:8443")],
        ),
        (
            "of-an-address",
            vec![("AllowedOrigin", "http://[::1]:5173")],
        ),
        ("as-unlogged", vec![("AccessLogs", "DISABLED")]),
        (
            "with-everything",
            vec![
                ("SesIdentityArn", IDENTITY),
                (
                    "EmailFrom",
                    "Example & Co. <no-reply+auth@mail.example.com>",
                ),
                ("EmailReplyTo", "help@example.com"),
                ("DomainName", "auth.example.com"),
                ("CertificateArn", CERTIFICATE),
                ("HostedZoneId", "Z0123456789ABCDEFGHIJ"),
                ("AlarmEmail", "ops+auth@example.com"),
                (
                    "ConfirmByLinkMessage",
                    "<p style=\"color: #123\">Hello,\n{##confirm##}</p>",
                ),
                ("ResetEmailMessage", "{####}"),
            ],
        ),
        (
            "as-lite",
            vec![
                ("UserPoolTier", "LITE"),
                ("RefreshTokenRotation", "DISABLED"),
            ],
        ),
    ] {
        let answer = create(name, &parameters);
        assert_eq!(answer.status, 200, "{parameters:?}: {}", answer.text);
    }
}

const IDENTITY: &str = "arn:aws:ses:us-east-1:000000000000:identity/example.com";
const CERTIFICATE: &str = "arn:aws:acm:us-east-1:000000000000:certificate/1";
/// A text of 141 characters.
const LONG: &str = "A subject that goes on and on and on and on and on and on and on and on and on and on and on and on and on and on and on and on and on and on";

#[test]
fn wrong_parameter_combinations_are_rejected_with_the_remedy() {
    let passwordless = [("Mode", "Passwordless")];
    for (parameters, sentence) in [
        (
            &[("EmailSignUpRoles", "Nobody")][..],
            "EmailSignUpRoles may only name roles that are in Roles.",
        ),
        (
            &[("EmailSignUpRoles", "User,Nobody")],
            "EmailSignUpRoles may only name roles that are in Roles.",
        ),
        (
            &[("Roles", "Member")],
            "EmailSignUpRoles may only name roles that are in Roles.",
        ),
        (
            &[("PhoneSignUpRoles", "Nobody")],
            "PhoneSignUpRoles may only name roles that are in Roles.",
        ),
        (
            &[("SkipConfirmationRoles", "Nobody")],
            "SkipConfirmationRoles may only name roles that are in Roles.",
        ),
        (
            &[("UserPoolTier", "LITE")],
            "UserPoolTier=LITE has no refresh token rotation; set RefreshTokenRotation=DISABLED.",
        ),
        (
            &[("SesIdentityArn", IDENTITY)],
            "SesIdentityArn and EmailFrom need each other, because SES sends only from addresses of the identity.",
        ),
        (
            &[("EmailFrom", "no-reply@example.com")],
            "SesIdentityArn and EmailFrom need each other, because SES sends only from addresses of the identity.",
        ),
        (
            &[("ResetEmailMessage", "{####}")],
            "ResetEmailMessage needs SesIdentityArn, because Cognito accepts the text of a trigger only with SES.",
        ),
        (
            &[("DomainName", "auth.example.com")],
            "DomainName and CertificateArn need each other.",
        ),
        (
            &[("CertificateArn", CERTIFICATE)],
            "DomainName and CertificateArn need each other.",
        ),
        (
            &[("HostedZoneId", "Z0123456789")],
            "HostedZoneId needs DomainName.",
        ),
        (
            &[("AlarmEmail", "ops@example.com"), ("Metrics", "DISABLED")],
            "AlarmEmail needs Metrics=ENABLED, because alarms watch metrics.",
        ),
        (
            &passwordless,
            "Passwordless needs at least one role in PhoneSignUpRoles, or in EmailSignUpRoles with SesIdentityArn.",
        ),
    ] {
        let answer = create("rejected", parameters);
        assert_eq!(answer.status, 400, "{parameters:?}: {}", answer.text);
        assert!(
            answer.text.contains(sentence),
            "{parameters:?}: {}",
            answer.text
        );
    }
}

#[test]
fn bad_parameter_values_are_rejected_by_name() {
    for (parameter, values) in [
        ("Mode", &["passwordless", "Both"][..]),
        (
            "Roles",
            &[
                "Us er",
                "User;Admin",
                "User,,Admin",
                "Üser",
                &"a".repeat(129),
            ],
        ),
        (
            "AllowedPhonePrefixes",
            &["34", "+", "+34,x", "+0", "+18765550"],
        ),
        ("PasswordMinLength", &["5", "99", "eight"]),
        ("PasswordRequireDigits", &["yes"]),
        ("PasswordRequireLowercase", &["yes"]),
        ("PasswordRequireSymbols", &["yes"]),
        ("PasswordRequireUppercase", &["yes"]),
        ("StageName", &["", "a/b"]),
        (
            "AllowedOrigin",
            &[
                "example.com",
                "https://",
                "https://a b",
                "https://App.example.com",
                "https://example.com:443",
                "http://example.com:80",
                "https://example.com:",
                "https://example.com.",
                "https://example.com/",
                "https://*.example.com",
                "ftp://example.com",
                "capacitor://",
            ],
        ),
        ("ThrottlingRateLimit", &["0", "-1", "many"]),
        ("ThrottlingBurstLimit", &["0", "many"]),
        ("MessageThrottlingRateLimit", &["0", "many"]),
        ("MessageThrottlingBurstLimit", &["0", "many"]),
        ("AccessLogs", &["true"]),
        ("ManageApiGatewayAccount", &["yes"]),
        ("EnableWaf", &["ENABLED"]),
        ("ApiWafRateLimit", &["9", "2000000001"]),
        ("UserPoolWafRateLimit", &["9", "2000000001"]),
        ("UserPoolWafMessageRateLimit", &["9", "2000000001"]),
        ("ContactChanges", &["false"]),
        ("UserExistenceErrors", &["HIDE"]),
        ("EmailVerification", &["link"]),
        (
            "UserPoolDomainPrefix",
            &["-a", "A", "a.b", "my-aws", "amazonas", "cognito"],
        ),
        ("UserPoolTier", &["FREE"]),
        ("RefreshTokenRotation", &["true"]),
        ("AccessTokenMinutes", &["4", "1441"]),
        ("RefreshTokenDays", &["0", "3651"]),
        ("AuthSessionMinutes", &["2", "16"]),
        ("OtpCooldownSeconds", &["0", "14", "3601"]),
        ("SesConfigurationSet", &["a b"]),
        ("EmailCodeSubject", &["", LONG]),
        (
            "EmailCodeMessage",
            &["", "Your code.", "{####} {####}", "{code}"],
        ),
        ("OtpMaxSendsPerHour", &["0", "11"]),
        ("OtpMaxSendsPerDay", &["0", "41"]),
        (
            "SmsMessage",
            &["", "Your code.", "{####} {####} {####}", "{code}"],
        ),
        (
            "SmsSenderId",
            &["a b", "TwelveLetters", "12345", "TwelveSigns1"],
        ),
        ("SmsRegion", &["Tokyo", "ap-northeast", "us-east-1a", "*"]),
        ("ConfirmByLinkSubject", &["", LONG]),
        (
            "ConfirmByLinkMessage",
            &["", "Confirm.", "{####}", "{##a##}{##b##}", "{####a##}"],
        ),
        ("ConfirmByCodeSubject", &["", LONG]),
        ("ConfirmByCodeMessage", &["", "Your code.", "{####} {####}"]),
        ("ResetEmailSubject", &["", LONG]),
        (
            "ResetEmailMessage",
            &[
                "Your code.",
                "{####} {####}",
                "{##a##}",
                &format!("{{####}}{:1000}", "."),
            ],
        ),
        (
            "SesIdentityArn",
            &["example.com", "arn:aws:sns:us-east-1:000000000000:a"],
        ),
        (
            "EmailFrom",
            &["example.com", "Example no-reply@example.com", "a@b@c"],
        ),
        ("EmailReplyTo", &["example.com", "Help <help@example.com>"]),
        (
            "DomainName",
            &[
                "example",
                "Auth.example.com",
                "https://a.example",
                "-a.example",
            ],
        ),
        (
            "CertificateArn",
            &["1", "arn:aws:iam::000000000000:server-certificate/a"],
        ),
        ("HostedZoneId", &["example.com", "z123"]),
        ("AlarmEmail", &["ops", "a@b c"]),
        ("AlarmSignInFailures", &["0", "many"]),
        ("AlarmCodesSent", &["0", "many"]),
        ("Metrics", &["true"]),
        ("TracingMode", &["active"]),
        ("Architecture", &["arm"]),
        ("LogLevel", &["info", "TRACE"]),
        ("LogRetentionDays", &["2"]),
        ("DeletionProtection", &["true"]),
    ] {
        for value in values {
            let answer = create("rejected", &[(parameter, value)]);
            assert_eq!(answer.status, 400, "{parameter}={value}: {}", answer.text);
            assert!(
                answer.text.contains(parameter),
                "{parameter}={value}: {}",
                answer.text
            );
        }
    }
}

#[test]
fn regions_without_sms_need_sms_region() {
    let aws = Stack::standard();
    let template = aws.template();
    let small = json!({
        "Parameters": template["Parameters"],
        "Rules": { "SmsNeedARegion": template["Rules"]["SmsNeedARegion"] },
        "Resources": { "Nothing": { "Type": "AWS::CloudFormation::WaitConditionHandle" } },
    });
    let sentence = "PhoneSignUpRoles needs SmsRegion here, because Cognito sends no SMS through SNS of this region.";
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("sms-{}.json", std::process::id()));
    std::fs::write(&file, small.to_string()).unwrap();
    // As docs/deploying.md has them.
    let regions = [
        ("ap-northeast-2", "ap-northeast-1"),
        ("ap-east-1", "ap-southeast-1"),
        ("ap-southeast-5", "ap-southeast-1"),
        ("ap-southeast-7", "ap-south-1"),
    ];
    let cases = regions.into_iter().flat_map(|(region, other)| {
        [
            (region, "User", "", true),
            (region, "User", other, false),
            (region, "", "", false),
            (other, "User", "", false),
        ]
    });
    for (region, roles, sms_region, rejected) in cases {
        let parameters = json!([
            { "ParameterKey": "PhoneSignUpRoles", "ParameterValue": roles },
            { "ParameterKey": "SmsRegion", "ParameterValue": sms_region },
        ]);
        let command = format!(
            "aws --region {region} cloudformation create-stack --stack-name sms-{:x} \
                --template-body file://{} --parameters '{parameters}' 2>&1 || true",
            e2e::random(),
            file.display()
        );
        let output = aws.embedded_aws(&["run", "bash", "-c", &command]);
        assert_eq!(
            output.contains(sentence),
            rejected,
            "{region} {roles}: {output}"
        );
        assert_eq!(
            output.contains("StackId"),
            !rejected,
            "{region} {roles}: {output}"
        );
    }
    std::fs::remove_file(&file).unwrap();
}
