//! The documented verifiers: jsonwebtoken, aws-jwt-verify, PyJWT and API Gateway's authorizer. Each accepts an access
//! token of the stack, and rejects every other token for the expected reason.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{Stack, Tokens, output_of, read, root, text, verify_access_token};
use jsonwebtoken::{Algorithm, EncodingKey, Header, decode_header, encode};
use serde_json::{Value, json};

/// The columns of [`RejectedToken::errors`].
const JSONWEBTOKEN: usize = 0;
const AWS_JWT_VERIFY: usize = 1;
const PY_JWT: usize = 2;

const SCOPE: &str = "aws.cognito.signin.user.admin";

/// A token that a verifier for this client must reject.
struct RejectedToken {
    what: &'static str,
    token: String,
    client_id: String,
    /// The error of each verifier.
    errors: [&'static str; 3],
    /// The status of an API behind the authorizer.
    api_gateway: u16,
}

/// Tokens that resemble an access token of the standard stack, but are not valid.
fn rejected_tokens(stack: &Stack, tokens: &Tokens) -> Vec<RejectedToken> {
    let access = &tokens.access;
    let [header, claims, signature] = access.split('.').collect::<Vec<_>>()[..] else {
        panic!("not three parts");
    };
    let key_id = decode_header(access).unwrap().kid.unwrap();
    let base64 = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let changed = format!("{first}{}", &signature[1..]);
    let mut promoted = tokens.access_claims.clone();
    promoted["cognito:groups"] = json!(["Admin"]);
    let unsigned = base64(&json!({ "alg": "none", "kid": key_id }));
    let public_key = json!(stack.keys().find(&key_id).unwrap())["n"].to_string();
    let by_public_key = encode(
        &Header {
            kid: Some(key_id),
            ..Header::new(Algorithm::HS256)
        },
        &promoted,
        &EncodingKey::from_secret(public_key.trim_matches('"').as_bytes()),
    );
    let strict = Stack::strict();
    let other_pool = strict.tokens_of(&strict.member()).access;
    let (other_client, of_other_client) = token_of_a_new_client(stack, json!({}));
    assert_ne!(other_client, stack.client_id());
    let (brief_client, expired) = token_expired_for(stack, 60);

    let own = |token: String| (token, stack.client_id().to_owned());
    #[rustfmt::skip]
    let rows = [
        ("an expired token", (expired, brief_client), ["ExpiredSignature", "JwtExpiredError", "ExpiredSignatureError"], 401),
        ("a token of another pool", own(other_pool), ["The token's key is not the pool's", "ParameterValidationError", "PyJWKClientError"], 401),
        ("a token of another client", own(of_other_client), ["A token for another client", "CognitoJwtInvalidClientIdError", "InvalidAudienceError"], 403),
        ("an ID token", own(tokens.id.clone()), ["Not an access token", "CognitoJwtInvalidTokenUseError", "MissingRequiredClaimError"], 401),
        ("a refresh token", own(tokens.refresh.clone()), ["Not an access token", "CognitoJwtInvalidTokenUseError", "InvalidTokenError"], 401),
        ("another signature", own(format!("{header}.{claims}.{changed}")), ["InvalidSignature", "JwtInvalidSignatureError", "InvalidSignatureError"], 401),
        ("no signature", own(format!("{header}.{claims}.")), ["InvalidSignature", "JwtParseError", "InvalidSignatureError"], 401),
        ("other claims", own(format!("{header}.{}.{signature}", base64(&promoted))), ["InvalidSignature", "JwtInvalidSignatureError", "InvalidSignatureError"], 401),
        ("the algorithm none", own(format!("{unsigned}.{}.", base64(&promoted))), ["none", "JwtParseError", "InvalidAlgorithmError"], 401),
        ("the algorithm none and a signature", own(format!("{unsigned}.{}.{signature}", base64(&promoted))), ["none", "JwtInvalidSignatureAlgorithmError", "InvalidAlgorithmError"], 401),
        ("an HMAC with the public key", own(by_public_key.unwrap()), ["InvalidAlgorithm", "JwtInvalidSignatureAlgorithmError", "InvalidAlgorithmError"], 401),
        ("nonsense", own("a.b.c".to_owned()), ["Base64", "JwtParseError", "DecodeError"], 401),
    ];
    let rows = rows.map(
        |(what, (token, client_id), errors, api_gateway)| RejectedToken {
            what,
            token,
            client_id,
            errors,
            api_gateway,
        },
    );
    rows.into()
}

/// Another client of the stack's pool, and the access token of a user who signed in with it.
fn token_of_a_new_client(stack: &Stack, mut settings: Value) -> (String, String) {
    settings["ClientName"] = "another".into();
    settings["ExplicitAuthFlows"] = json!(["ALLOW_USER_PASSWORD_AUTH"]);
    let client = stack.cognito_admin("CreateUserPoolClient", settings);
    let client = client["UserPoolClient"]["ClientId"].as_str().unwrap();
    let person = stack.confirmed_user();
    let body = json!({
        "ClientId": client,
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": person.username, "PASSWORD": person.password },
    });
    let answer = stack.cognito_public("InitiateAuth", body);
    let token = &answer.json()["AuthenticationResult"]["AccessToken"];
    (client.to_owned(), token.as_str().unwrap().to_owned())
}

/// A client whose tokens expire before they are issued, and such a token. AWS does not allow this setting.
fn token_expired_for(stack: &Stack, seconds: i32) -> (String, String) {
    let settings = json!({
        "AccessTokenValidity": -seconds,
        "IdTokenValidity": -seconds,
        "TokenValidityUnits": { "AccessToken": "seconds", "IdToken": "seconds" },
    });
    token_of_a_new_client(stack, settings)
}

#[test]
fn jsonwebtoken_accepts_only_access_tokens_of_the_stack() {
    let stack = Stack::standard();
    let tokens = stack.tokens_of(&stack.confirmed_user());
    let (keys, issuer) = (stack.keys(), stack.output("AuthApiIssuer"));
    let verify = |token: &str, client: &str| verify_access_token(token, &keys, issuer, client);
    // The keys match, but the issuer is another pool.
    let other = Stack::strict();
    let other = other.output("AuthApiIssuer");
    let elsewhere = verify_access_token(&tokens.access, &keys, other, stack.client_id());
    assert_eq!(elsewhere.unwrap_err().to_string(), "InvalidIssuer");
    let claims = verify(&tokens.access, stack.client_id()).unwrap();
    assert_eq!(claims, tokens.access_claims);
    let (client, token) = token_expired_for(&stack, 1);
    verify(&token, &client).unwrap();
    for rejected in rejected_tokens(&stack, &tokens) {
        let error = verify(&rejected.token, &rejected.client_id).unwrap_err();
        let error = format!("{error:?} {error}");
        let expected = rejected.errors[JSONWEBTOKEN];
        assert!(error.contains(expected), "{}: {error}", rejected.what);
    }
}

#[test]
fn aws_jwt_verify_accepts_only_access_tokens_of_the_stack() {
    let stack = Stack::standard();
    let jwks_uri = stack.output("AuthApiJwksUri");
    let mut verify = Command::new("node");
    verify.arg(in_package("js/verify.mjs"));
    let program =
        |token: &str, client: &str| run(&verify, &[stack.pool_id(), client, jwks_uri], token);
    assert_accepts_only_access_tokens(&stack, program, AWS_JWT_VERIFY);
}

#[test]
fn py_jwt_accepts_only_access_tokens_of_the_stack() {
    let stack = Stack::standard();
    let (issuer, jwks_uri) = (
        stack.output("AuthApiIssuer"),
        stack.output("AuthApiJwksUri"),
    );
    let mut verify = Command::new(root().join("local/.venv-test/bin/python"));
    verify.arg(in_package("python/verify.py"));
    let program = |token: &str, client: &str| run(&verify, &[issuer, client, jwks_uri], token);
    assert_accepts_only_access_tokens(&stack, program, PY_JWT);
    // The keys match, but the issuer is another pool.
    let access = stack.tokens_of(&stack.confirmed_user()).access;
    let other = Stack::strict();
    let other = other.output("AuthApiIssuer");
    let elsewhere = run(&verify, &[other, stack.client_id(), jwks_uri], &access);
    assert!(elsewhere.unwrap_err().starts_with("InvalidIssuerError:"));
}

/// The issuer in the configuration in docs/integrating.md.
const EXAMPLE_ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example";

#[test]
fn booster_reads_roles_with_the_documented_configuration() {
    let stack = Stack::standard();
    let page = read("docs/integrating.md");
    let (_, block) = page.split_once("\n```ts\n").unwrap();
    let (block, rest) = block.split_once("```").unwrap();
    assert!(
        !rest.contains("```ts"),
        "docs/integrating.md must have one block in ts"
    );
    assert_eq!(block.matches(EXAMPLE_ISSUER).count(), 2);
    let example_keys = format!("{EXAMPLE_ISSUER}/.well-known/jwks.json");
    let block = block.replace(&example_keys, stack.output("AuthApiJwksUri"));
    let block = block.replace(EXAMPLE_ISSUER, stack.output("AuthApiIssuer"));

    let folder = in_package("js/dist/booster");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("booster.ts"), block).unwrap();
    let compiler = in_package("js/node_modules/.bin/tsc");
    let options = ["--strict", "--skipLibCheck", "--types", "node"];
    let modules = ["--target", "es2022", "--module", "nodenext", "booster.ts"];
    let mut compile = Command::new(compiler);
    output_of(compile.args(options).args(modules).current_dir(&folder));

    let mut verify = Command::new("node");
    let configured = folder.join("booster.js");
    verify.arg(in_package("js/booster.mjs")).arg(configured);
    let tokens = stack.tokens_of(&stack.confirmed_user());
    let (id, email) = (&tokens.id_claims["sub"], &tokens.id_claims["email"]);
    for (token, username) in [(&tokens.access, id), (&tokens.id, email)] {
        let user = run(&verify, &[], token).unwrap();
        let expected = json!({ "id": id, "username": username, "roles": ["User"] });
        assert_eq!(user, expected);
    }
    for rejected in rejected_tokens(&stack, &tokens) {
        let user = run(&verify, &[], &rejected.token);
        // Booster checks neither the client nor the use of a token. On AWS, a refresh token is encrypted.
        let accepted = [
            "a token of another client",
            "an ID token",
            "a refresh token",
        ];
        let accepted = accepted.contains(&rejected.what);
        assert_eq!(user.is_ok(), accepted, "{}: {user:?}", rejected.what);
    }
}

/// Checks a program that prints a token's claims, or the name of an error.
fn assert_accepts_only_access_tokens(
    stack: &Stack,
    program: impl Fn(&str, &str) -> Result<Value, String>,
    column: usize,
) {
    let tokens = stack.tokens_of(&stack.confirmed_user());
    let claims = program(&tokens.access, stack.client_id());
    assert_eq!(claims.as_ref(), Ok(&tokens.access_claims));
    let (client, token) = token_expired_for(stack, 1);
    program(&token, &client).unwrap();
    for rejected in rejected_tokens(stack, &tokens) {
        let error = program(&rejected.token, &rejected.client_id).unwrap_err();
        let (name, what) = (error.split(':').next(), rejected.what);
        assert_eq!(name, Some(rejected.errors[column]), "{what}: {error}");
        assert!(!error.contains(&rejected.token), "{what}: {error}");
    }
}

/// Runs a sample program on a token.
fn run(program: &Command, arguments: &[&str], token: &str) -> Result<Value, String> {
    let mut command = Command::new(program.get_program());
    command.args(program.get_args()).args(arguments);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(token.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout).unwrap());
    }
    assert_eq!(output.status.code(), Some(1), "{command:?}");
    Err(String::from_utf8(output.stderr).unwrap())
}

#[test]
fn authorizer_accepts_only_access_tokens_of_the_stack() {
    let stack = Stack::standard();
    let url = deploy_api(&stack, "who-am-i");
    let tokens = stack.tokens_of(&stack.confirmed_user());
    // The scope that the template requires.
    assert_eq!(tokens.access_claims["scope"], SCOPE);
    assert_eq!(tokens.id_claims.get("scope"), None);
    let (status, body) = who_am_i(&url, Some(&tokens.access));
    assert_eq!(status, 200, "{body}");
    let me = json!({ "sub": tokens.access_claims["sub"], "groups": ["User"] });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), me);
    let (status, body) = who_am_i(&url, None);
    assert_eq!(status, 401, "{body}");
    for rejected in rejected_tokens(&stack, &tokens) {
        let (status, body) = who_am_i(&url, Some(&rejected.token));
        assert_eq!(status, rejected.api_gateway, "{}: {body}", rejected.what);
    }
}

#[test]
fn api_behind_the_authorizer_reads_groups_in_both_forms() {
    let stack = Stack::standard();
    deploy_api(&stack, "who-am-i-in-groups");
    let describe = ["cloudformation", "describe-stack-resource"];
    let of_it = ["--stack-name", "who-am-i-in-groups"];
    let resource = ["--logical-resource-id", "WhoAmIFunction"];
    let resource = stack.cli(&[describe, of_it, resource].concat());
    let function = text(&resource["StackResourceDetail"]["PhysicalResourceId"]);
    for (claim, groups) in [
        (Some("Admin,User"), json!(["Admin", "User"])),
        (Some("[Admin User]"), json!(["Admin", "User"])),
        (Some("User"), json!(["User"])),
        (None, json!([])),
    ] {
        let mut claims = json!({ "sub": "s-1", "client_id": stack.client_id() });
        if let Some(claim) = claim {
            claims["cognito:groups"] = claim.into();
        }
        let event = json!({ "requestContext": { "authorizer": { "claims": claims } } });
        let answer = stack.invoke(&function, &event).unwrap();
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(body, json!({ "sub": "s-1", "groups": groups }));
    }
}

#[test]
fn revoked_token_is_rejected_by_cognito_but_verifies_offline() {
    let stack = Stack::standard();
    let url = deploy_api(&stack, "who-am-i-still");
    let tokens = stack.tokens_of(&stack.confirmed_user());
    let get_user = || stack.cognito_public("GetUser", json!({ "AccessToken": tokens.access }));
    assert_eq!(get_user().status, 200);
    let access_token = json!({ "accessToken": tokens.access });
    stack.post("/token/revoke", access_token).assert_ok();
    let rejected = get_user();
    assert_eq!(rejected.status, 400);
    assert_eq!(rejected.json()["__type"], "NotAuthorizedException");
    let issuer = stack.output("AuthApiIssuer");
    verify_access_token(&tokens.access, &stack.keys(), issuer, stack.client_id()).unwrap();
    assert_eq!(who_am_i(&url, Some(&tokens.access)).0, 200);
}

/// Deploys the sample API with the documented command, and returns its URL.
#[track_caller]
fn deploy_api(stack: &Stack, name: &str) -> String {
    let template = in_package("api-gateway/template.yaml");
    let file = template.to_str().unwrap();
    let pool = format!("UserPoolId={}", stack.pool_id());
    let client = format!("ClientId={}", stack.client_id());
    let deploy = ["run", "aws", "cloudformation", "deploy"];
    let what = ["--stack-name", name, "--template-file", file];
    let how = ["--capabilities", "CAPABILITY_IAM"];
    let parameters = ["--parameter-overrides", &pool, &client];
    stack.embedded_aws(&[&deploy[..], &what, &how, &parameters].concat());
    let outputs = stack.embedded_aws(&["outputs", name]);
    outputs
        .trim()
        .strip_prefix("WhoAmIURL=")
        .unwrap()
        .to_owned()
}

fn who_am_i(url: &str, token: Option<&str>) -> (u16, String) {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let mut request = ureq::Agent::from(config.build()).get(url);
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    let mut response = request.call().unwrap();
    let body = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), body)
}

#[test]
fn verifying_tokens_page_shows_the_tested_programs() {
    let page = read("docs/verifying-tokens.md");
    for (language, program) in [
        ("js", "js/verify.mjs"),
        ("python", "python/verify.py"),
        ("rust", "src/verify.rs"),
        ("yaml", "api-gateway/template.yaml"),
    ] {
        let tested = read(&format!("crates/e2e/{program}"));
        let fence = format!("\n```{language}\n");
        let blocks = page.split(&fence).skip(1);
        let blocks: Vec<&str> = blocks
            .map(|rest| rest.split("```").next().unwrap())
            .collect();
        assert!(!blocks.is_empty(), "no sample in {language}");
        for block in blocks {
            assert!(
                tested.contains(block),
                "{program} lacks this block of the page:\n{block}"
            );
        }
    }
}

fn in_package(path: &str) -> PathBuf {
    root().join("crates/e2e").join(path)
}
