//! The stack's parameters. CloudFormation rejects bad values and wrong combinations before it creates a resource.

use std::collections::BTreeSet;

use e2e::{Answer, Stack};
use serde_json::json;

/// CloudFormation's answer to a stack with the template's parameters and rules, and almost no resources.
fn create(name: &str, parameters: &[&str]) -> Answer {
    let stack = Stack::standard();
    let template = stack.template();
    let small = json!({
        "Parameters": template["Parameters"],
        "Rules": template["Rules"],
        "Resources": { "Nothing": { "Type": "AWS::CloudFormation::WaitConditionHandle" } },
    });
    stack.create_stack(name, &small, parameters)
}

/// Checks that CloudFormation rejects these parameters with a message that contains this text.
#[track_caller]
fn assert_rejected(parameters: &[&str], text: &str) {
    let answer = create("rejected", parameters);
    assert_eq!(answer.status, 400, "{parameters:?}: {}", answer.text);
    let shown = answer.text.contains(text);
    assert!(shown, "{parameters:?}: {}", answer.text);
}

const IDENTITY: &str = "SesIdentityArn=arn:aws:ses:us-east-1:000000000000:identity/example.com";
const CERTIFICATE: &str = "CertificateArn=arn:aws:acm:us-east-1:000000000000:certificate/1";

#[test]
fn valid_parameter_combinations_are_accepted() {
    let with_everything = [
        IDENTITY,
        "EmailFrom=Example & Co. <no-reply+auth@mail.example.com>",
        "EmailReplyTo=help@example.com",
        "DomainName=auth.example.com",
        CERTIFICATE,
        "HostedZoneId=Z0123456789ABCDEFGHIJ",
        "AlarmEmail=ops+auth@example.com",
        "ConfirmByLinkMessage=<p style=\"color: #123\">Hello,\n{##confirm##}</p>",
        "ResetEmailMessage={####}",
        "SmsRegion=us-gov-west-1",
        "SmsSenderId=2Rocket",
        "AccessLogs=DISABLED",
    ];
    let passwordless = [
        "Mode=Passwordless",
        "Roles=Member",
        "PhoneSignUpRoles=Member",
        "SmsMessage=Your code is {####}.\n\n@example.com #{####}",
        "AllowedPhonePrefixes=+1876,+1876555",
    ];
    for (name, parameters) in [
        ("as-default", &["Mode=UserPassword"][..]),
        ("as-passwordless", &passwordless),
        ("of-an-app", &["AllowedOrigin=capacitor://localhost"]),
        ("of-a-port", &["AllowedOrigin=https://app.example.com:8443"]),
        ("of-an-address", &["AllowedOrigin=http://[::1]:5173"]),
        (
            "as-prod",
            &["DeletionProtection=ACTIVE", "UserExistenceErrors=ENABLED"],
        ),
        (
            "as-lite",
            &["UserPoolTier=LITE", "RefreshTokenRotation=DISABLED"],
        ),
        ("with-everything", &with_everything),
    ] {
        let answer = create(name, parameters);
        assert_eq!(answer.status, 200, "{parameters:?}: {}", answer.text);
    }
}

#[test]
fn wrong_parameter_combinations_are_rejected_with_the_remedy() {
    let sender = "SesIdentityArn and EmailFrom need each other, because SES sends only from addresses of the identity.";
    let domain = "DomainName and CertificateArn need each other.";
    for (parameters, sentence) in [
        (
            &["Roles=Member"][..],
            "EmailSignUpRoles may only name roles that are in Roles.",
        ),
        (
            &["EmailSignUpRoles=User,Nobody"],
            "EmailSignUpRoles may only name roles that are in Roles.",
        ),
        (
            &["PhoneSignUpRoles=Nobody"],
            "PhoneSignUpRoles may only name roles that are in Roles.",
        ),
        (
            &["SkipConfirmationRoles=Nobody"],
            "SkipConfirmationRoles may only name roles that are in Roles.",
        ),
        (
            &["UserPoolTier=LITE"],
            "UserPoolTier=LITE has no refresh token rotation; set RefreshTokenRotation=DISABLED.",
        ),
        (&[IDENTITY], sender),
        (&["EmailFrom=no-reply@example.com"], sender),
        (
            &["ResetEmailMessage={####}"],
            "ResetEmailMessage needs SesIdentityArn, because Cognito accepts the text of a trigger only with SES.",
        ),
        (&["DomainName=auth.example.com"], domain),
        (&[CERTIFICATE], domain),
        (
            &["HostedZoneId=Z0123456789"],
            "HostedZoneId needs DomainName.",
        ),
        (
            &["AlarmEmail=ops@example.com", "Metrics=DISABLED"],
            "AlarmEmail needs Metrics=ENABLED, because alarms watch metrics.",
        ),
        (
            &["Mode=Passwordless"],
            "Passwordless needs at least one role in PhoneSignUpRoles, or in EmailSignUpRoles with SesIdentityArn.",
        ),
    ] {
        assert_rejected(parameters, sentence);
    }
}

/// Bad values of each parameter that is not an enumeration, one parameter a line. `''` is the empty value.
const BAD_VALUES: &str = "\
Roles | Us er | User;Admin | User,,Admin | Üser
AllowedPhonePrefixes | 34 | + | +34,x | +0 | +18765550
PasswordMinLength | 5 | 99 | eight
StageName | '' | a/b
AllowedOrigin | example.com | https:// | https://a b | https://App.example.com | https://example.com:443
AllowedOrigin | http://example.com:80 | https://example.com: | https://example.com. | https://example.com/
AllowedOrigin | https://*.example.com | ftp://example.com | capacitor://
ThrottlingRateLimit | 0 | -1 | many
ThrottlingBurstLimit | 0 | many
MessageThrottlingRateLimit | 0 | many
MessageThrottlingBurstLimit | 0 | many
ApiWafRateLimit | 9 | 2000000001
UserPoolWafRateLimit | 9 | 2000000001
UserPoolWafMessageRateLimit | 9 | 2000000001
UserPoolDomainPrefix | -a | A | a.b | my-aws | amazonas | cognito
AccessTokenMinutes | 4 | 1441
RefreshTokenDays | 0 | 3651
ReauthenticationMinutes | -1 | 1441
AuthSessionMinutes | 2 | 16
OtpCooldownSeconds | 0 | 14 | 3601
OtpMaxSendsPerHour | 0 | 11
OtpMaxSendsPerDay | 0 | 41
SesConfigurationSet | a b
EmailCodeSubject | ''
EmailCodeMessage | '' | Your code. | {####} {####} | {code}
SmsMessage | '' | Your code. | {####} {####} {####} | {code}
SmsSenderId | a b | TwelveLetters | 12345 | TwelveSigns1
SmsRegion | Tokyo | ap-northeast | us-east-1a | *
ConfirmByLinkSubject | ''
ConfirmByLinkMessage | '' | Confirm. | {####} | {##a##}{##b##} | {####a##}
ConfirmByCodeSubject | ''
ConfirmByCodeMessage | '' | Your code. | {####} {####}
ResetEmailSubject | ''
ResetEmailMessage | Your code. | {####} {####} | {##a##}
SesIdentityArn | example.com | arn:aws:sns:us-east-1:000000000000:a
EmailFrom | example.com | Example no-reply@example.com | a@b@c
EmailReplyTo | example.com | Help <help@example.com>
DomainName | example | Auth.example.com | https://a.example | -a.example
CertificateArn | 1 | arn:aws:iam::000000000000:server-certificate/a
HostedZoneId | example.com | z123
AlarmEmail | ops | a@b c
AlarmSignInFailures | 0 | many
AlarmCodesSent | 0 | many";

#[test]
fn bad_parameter_values_are_rejected_by_name() {
    let mut tested = BTreeSet::new();
    for line in BAD_VALUES.lines() {
        let mut cells = line.split(" | ");
        let parameter = cells.next().unwrap();
        for value in cells {
            let value = if value == "''" { "" } else { value };
            assert_rejected(&[&format!("{parameter}={value}")], parameter);
        }
        tested.insert(parameter);
    }
    for (parameter, too_long) in [
        ("Roles", 129),
        ("EmailCodeSubject", 141),
        ("ConfirmByLinkSubject", 141),
        ("ConfirmByCodeSubject", 141),
        ("ResetEmailSubject", 141),
    ] {
        assert_rejected(
            &[&format!("{parameter}={}", "a".repeat(too_long))],
            parameter,
        );
    }
    let too_long = format!("ResetEmailMessage={{####}}{:1000}", ".");
    assert_rejected(&[&too_long], "ResetEmailMessage");

    // The roles for sign-up have rules instead.
    tested.extend([
        "EmailSignUpRoles",
        "PhoneSignUpRoles",
        "SkipConfirmationRoles",
    ]);
    let template = Stack::standard().template();
    for (name, parameter) in template["Parameters"].as_object().unwrap() {
        let enumeration = parameter["AllowedValues"].is_array();
        assert!(enumeration != tested.contains(&**name), "{name}");
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
        let (shown, created) = (output.contains(sentence), output.contains("StackId"));
        assert_eq!(
            (shown, created),
            (rejected, !rejected),
            "{region} {roles}: {output}"
        );
    }
    std::fs::remove_file(&file).unwrap();
}
