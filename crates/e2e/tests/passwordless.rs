//! Passwordless: from sign-up to sign-out, by SMS and by e-mail, and rejected users.

use e2e::{Mode, Person, SIGN_UP_CODE, Stack, Tokens, session_in};
use serde_json::{Value, json};

const OTHER_COUNTRY: &str = "Phone numbers of this country are not accepted.";

#[test]
fn users_of_both_channels_go_from_sign_up_to_sign_out() {
    let stack = Stack::passwordless();
    for (person, contact) in [
        (Person::with_phone(), "phone_number"),
        (Person::with_email(), "email"),
    ] {
        let body = stack.sign_up(&person, "User").assert_ok();
        let user = stack.user(&person.username);
        assert_eq!(body["id"], user["sub"]);
        assert_eq!(user["status"], "UNCONFIRMED");
        assert_eq!(user[contact], person.username);
        assert_eq!(user["custom:role"], "User");
        assert_eq!(stack.groups_of(&person.username), ["User"]);

        let confirmation = json!({ "username": person.username, "confirmationCode": SIGN_UP_CODE });
        stack.post("/sign-up/confirm", confirmation).assert_ok();
        let session = session_in(&stack.post("/sign-in", json!({ "username": person.username })));
        let [code] = &stack.codes_sent_to(&person)[..] else {
            panic!("not one message");
        };
        let tokens = Tokens::read(&stack, &stack.answer(&person, &session, code).assert_ok());
        for claims in [&tokens.access_claims, &tokens.id_claims] {
            assert_eq!(claims["sub"], user["sub"]);
            assert_eq!(claims["cognito:groups"], json!(["User"]));
        }
        assert_eq!(tokens.id_claims[contact], person.username);
        assert_eq!(tokens.id_claims["custom:role"], "User");

        let refresh = |token: &str| stack.post("/token/refresh", json!({ "refreshToken": token }));
        let renewed = Tokens::read(&stack, &refresh(&tokens.refresh).assert_ok());
        assert_eq!(renewed.access_claims["sub"], user["sub"]);
        let revoke = json!({ "accessToken": renewed.access });
        stack.post("/token/revoke", revoke).assert_ok();
        refresh(&renewed.refresh).assert_error(401, "NotAuthorizedException");
    }
}

#[test]
fn code_email_has_the_configured_text_and_sender() {
    let stack = Stack::passwordless();
    let [_, person] = stack.users_of_both_channels();
    let answer = stack.sign_in(&person).assert_ok();
    assert_eq!(
        answer["message"],
        "Use the session and the code we have sent you via email to get your access tokens via POST /token."
    );
    let [code] = &stack.codes_sent_to(&person)[..] else {
        panic!("not one message");
    };
    let email = &stack.messages_to(&person)[0];
    assert_eq!(email["Source"], "Example <no-reply@example.com>");
    assert_eq!(email["Subject"], "Your sign-in code");
    assert_eq!(email["Message"], format!("Your sign-in code is {code}."));
    assert_eq!(email["BodyHtml"], "");

    let (stack, member) = (Stack::passwordless_strict(), Person::with_email());
    stack.sign_up(&member, "Member").assert_ok();
    let code = stack.challenge(&member).code;
    let email = &stack.messages_to(&member)[0];
    assert_eq!(email["Subject"], "Sign in");
    assert_eq!(email["Message"], code);
    assert_eq!(email["BodyHtml"], format!("<b>{code}</b>"));
}

#[test]
fn stack_without_ses_rejects_email_addresses() {
    let parameters = ["PhoneSignUpRoles=User"];
    let stack = Stack::deploy("by-phone", Mode::Passwordless, &parameters);
    let person = Person::with_email();
    let phone_only = "Username should be a phone number in E.164 format, such as +34999999999.";
    for answer in [
        stack.sign_up(&person, "User"),
        stack.sign_in(&person),
        stack.answer(&person, "a-session-of-twenty-signs", "123456"),
    ] {
        answer.assert_error_with(400, "InvalidParameterException", phone_only);
    }
    let answer = stack.sign_up_directly(&person, &[("custom:role", "User")]);
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(!stack.has_user(&person.username));
    // The template's default is `User`.
    let environment = stack.environment(&stack.trigger("PreSignUp"));
    assert_eq!(environment["EMAIL_SIGN_UP_ROLES"], "");
    // Phone numbers sign in.
    stack.tokens_of(&stack.confirmed_user());
}

#[test]
fn code_sms_has_the_configured_text_and_sender() {
    let assert_sent = |stack: &Stack, person: &Person, text: &str, sender: Value| {
        let code = stack.challenge(person).code;
        let [message] = &stack.messages_to(person)[..] else {
            panic!("not one message");
        };
        assert_eq!(message["Message"], text.replace("{####}", &code));
        let attribute = |name: &str| &message["MessageAttributes"][name]["StringValue"];
        assert_eq!(attribute("AWS.SNS.SMS.SMSType"), "Transactional");
        assert_eq!(*attribute("AWS.SNS.SMS.SenderID"), sender);
    };
    let stack = Stack::passwordless();
    let text = "Your sign-in code is {####}.";
    assert_sent(&stack, &stack.confirmed_user(), text, Value::Null);
    let stack = Stack::passwordless_strict();
    assert_sent(&stack, &stack.member(), "{####}:your-code", "Rocket".into());
}

#[test]
fn passwordless_ignores_any_password() {
    let stack = Stack::passwordless();
    let passwords = [json!("1"), json!(1), json!(null), json!({ "a": ["b"] })];
    let people = [Person::with_phone, Person::with_email].into_iter().cycle();
    for (password, person) in passwords.into_iter().zip(people) {
        let person = person();
        let post = |path: &str, mut body: Value| {
            body["username"] = person.username.clone().into();
            body["password"] = password.clone();
            stack.post(path, body)
        };
        let role = json!({ "userAttributes": { "role": "User" } });
        post("/sign-up", role).assert_ok();
        let code = json!({ "confirmationCode": SIGN_UP_CODE });
        post("/sign-up/confirm", code).assert_ok();
        session_in(&post("/sign-in", json!({})));
        assert_eq!(stack.codes_sent_to(&person).len(), 1, "{password}");
    }
}

#[test]
fn sign_in_sends_nothing_to_a_rejected_user() {
    let stack = Stack::passwordless();
    for person in [Person::with_phone(), Person::with_email()] {
        stack.sign_up(&person, "User").assert_ok();
        let answer = stack.sign_in(&person);
        answer.assert_documented_error(403, "UserNotConfirmedException");
        assert_nothing_sent_or_counted(&stack, &person);
    }

    for person in stack.users_of_both_channels() {
        stack.cognito_admin("AdminDisableUser", json!({ "Username": person.username }));
        let answer = stack.sign_in(&person);
        answer.assert_error_with(401, "NotAuthorizedException", "User is disabled.");
        assert_nothing_sent_or_counted(&stack, &person);
    }

    for person in [Person::with_phone(), Person::with_email()] {
        let answer = stack.sign_in(&person);
        answer.assert_documented_error(404, "UserNotFoundException");
        assert!(stack.messages_to(&person).is_empty());
    }
    let keys = stack.all_limits();
    let of_unknown = |key: &&Value| key["sub"]["S"].as_str().unwrap().starts_with("unknown-");
    assert_eq!(keys.iter().find(of_unknown), None);
}

#[test]
fn sign_in_answers_what_sns_says_of_a_number() {
    let stack = Stack::passwordless();
    // local/strict/sns.py answers by the last digits. SNS accepts a number that opted out, and sends nothing.
    for (phone, status, error_type) in [
        ("+12025550100", 400, "InvalidParameterException"),
        ("+12025550103", 500, "InternalErrorException"),
        ("+12025550129", 503, "ServiceUnavailableException"),
        ("+12025550150", 503, "ServiceUnavailableException"),
        ("+12025550151", 500, "InternalErrorException"),
        ("+12025550152", 503, "ServiceUnavailableException"),
        ("+34600007867", 200, ""),
    ] {
        let username = phone.to_owned();
        let person = Person {
            username,
            ..Person::with_phone()
        };
        stack.sign_up(&person, "User").assert_ok();
        let confirmation = json!({ "username": phone, "confirmationCode": SIGN_UP_CODE });
        stack.post("/sign-up/confirm", confirmation).assert_ok();
        let answer = stack.sign_in(&person);
        match status {
            200 => drop(session_in(&answer)),
            _ => drop(answer.assert_error(status, error_type)),
        }
        assert!(stack.messages_to(&person).is_empty(), "{phone}");
    }
}

#[test]
fn sign_up_rejects_numbers_outside_allowed_prefixes() {
    let stack = Stack::passwordless();
    stack
        .sign_up(&Person::with_phone_in("+1"), "User")
        .assert_ok();
    for prefix in ["+44", "+33", "+49"] {
        let person = Person::with_phone_in(prefix);
        stack.sign_up(&person, "User").assert_error_with(
            400,
            "InvalidParameterException",
            OTHER_COUNTRY,
        );
        let answer = stack.sign_up_directly(&person, &[("custom:role", "User")]);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.text.contains(OTHER_COUNTRY), "{answer:?}");
        assert!(!stack.has_user(&person.username), "{prefix}");
        assert!(stack.messages_to(&person).is_empty(), "{prefix}");
    }
}

#[test]
fn sign_in_sends_nothing_outside_allowed_prefixes() {
    let stack = Stack::passwordless();
    let person = stack.user_outside_allowed_prefixes();
    stack
        .sign_in(&person)
        .assert_error_with(400, "InvalidParameterException", OTHER_COUNTRY);
    let answer = stack.initiate_auth("CUSTOM_AUTH", json!({ "USERNAME": person.username }));
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.text.contains(OTHER_COUNTRY), "{answer:?}");
    assert_nothing_sent_or_counted(&stack, &person);
}

#[test]
fn passwordless_client_allows_only_the_code_flow_at_cognito() {
    let stack = Stack::passwordless();
    let [phone_user, email_user] = stack.users_of_both_channels();
    const INVALID: &str = "InvalidParameterException";
    for (flow, more, error_type) in [
        (
            "USER_PASSWORD_AUTH",
            json!({ "PASSWORD": phone_user.password }),
            INVALID,
        ),
        ("USER_SRP_AUTH", json!({ "SRP_A": "ab" }), INVALID),
        (
            "USER_AUTH",
            json!({ "PREFERRED_CHALLENGE": "SMS_OTP" }),
            INVALID,
        ),
        // The allowed flow, with a proof of the password before the code: our trigger rejects it.
        (
            "CUSTOM_AUTH",
            json!({ "SRP_A": "ab", "CHALLENGE_NAME": "SRP_A" }),
            "NotAuthorizedException",
        ),
    ] {
        for person in [&phone_user, &email_user] {
            let mut parameters = more.clone();
            parameters["USERNAME"] = person.username.clone().into();
            let answer = stack.initiate_auth(flow, parameters);
            assert_eq!(answer.status, 400, "{flow}: {answer:?}");
            assert_eq!(answer.json()["__type"], error_type, "{flow}: {answer:?}");
        }
    }
    for person in [phone_user, email_user] {
        assert_nothing_sent_or_counted(&stack, &person);
    }
}

#[track_caller]
fn assert_nothing_sent_or_counted(stack: &Stack, person: &Person) {
    assert!(stack.messages_to(person).is_empty());
    let sub = &stack.user(&person.username)["sub"];
    assert!(stack.limits(sub).is_empty());
}
