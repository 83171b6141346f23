//! The template as CloudFormation expands it: what the embedded AWS leaves out or does not enforce.

use std::collections::{BTreeMap, BTreeSet};

use e2e::{ROUTES, Stack};
use serde_json::{Map, Value, json};

const TRIGGERS: [&str; 5] = [
    "CreateAuthChallenge",
    "DefineAuthChallenge",
    "PostConfirmation",
    "PreSignUp",
    "VerifyAuthChallengeResponse",
];

/// The functions that only one mode has, by the condition that they carry.
const CONDITIONS: [(&str, &str); 6] = [
    ("PasswordChange", "IsUserPassword"),
    ("PasswordForgot", "IsUserPassword"),
    ("Token", "IsPasswordless"),
    ("CreateAuthChallenge", "IsPasswordless"),
    ("DefineAuthChallenge", "IsPasswordless"),
    ("VerifyAuthChallengeResponse", "IsPasswordless"),
];

/// The template's parts that are looked at again and again.
struct Template(Value);

impl Template {
    fn expanded() -> Self {
        Self(Stack::standard().template())
    }

    fn resources_of(&self, kind: &str) -> Vec<(&str, &Value)> {
        let resources = self.0["Resources"].as_object().unwrap().iter();
        resources
            .filter(|(_, resource)| resource["Type"] == kind)
            .map(|(name, resource)| (name.as_str(), resource))
            .collect()
    }

    fn properties(&self, name: &str) -> &Value {
        let properties = &self.0["Resources"][name]["Properties"];
        assert!(properties.is_object(), "no resource {name}");
        properties
    }

    /// Each role's statements, from the role itself and from the policies attached to it.
    fn statements(&self) -> BTreeMap<&str, Vec<&Value>> {
        let mut statements: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for (name, role) in self.resources_of("AWS::IAM::Role") {
            let role = &role["Properties"];
            for elsewhere in ["ManagedPolicyArns", "PermissionsBoundary"] {
                assert!(role[elsewhere].is_null(), "{name} has {elsewhere}");
            }
            let policies = role["Policies"].as_array().unwrap();
            statements.insert(name, policies.iter().flat_map(statements_of).collect());
        }
        for (_, policy) in self.resources_of("AWS::IAM::Policy") {
            for role in policy["Properties"]["Roles"].as_array().unwrap() {
                let attached = statements.get_mut(role["Ref"].as_str().unwrap()).unwrap();
                attached.extend(statements_of(&policy["Properties"]));
            }
        }
        statements
    }

    /// The API's paths, without the conditions around them.
    fn paths(&self) -> BTreeMap<&str, &Value> {
        let paths = self.properties("Api")["Body"]["paths"].as_object().unwrap();
        paths
            .iter()
            .map(|(path, item)| (path.as_str(), unconditional(item)))
            .collect()
    }
}

fn statements_of(policy: &Value) -> &Vec<Value> {
    policy["PolicyDocument"]["Statement"].as_array().unwrap()
}

/// What stands there where the condition holds.
fn unconditional(value: &Value) -> &Value {
    match value.get("Fn::If") {
        Some(choice) => unconditional(&choice[1]),
        None => value,
    }
}

/// Each route's function, by its name in the template.
fn routes() -> BTreeMap<String, String> {
    let routes = ROUTES.iter();
    routes
        .map(|route| (format!("/auth{}", route.path), route.resource()))
        .collect()
}

fn functions() -> BTreeSet<String> {
    let triggers = TRIGGERS.map(str::to_owned);
    routes().into_values().chain(triggers).collect()
}

fn all_of(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().flat_map(all_of).collect(),
        _ => vec![value.as_str().unwrap()],
    }
}

#[test]
fn every_role_may_do_exactly_what_its_function_needs() {
    let own_logs = |function: &str| {
        let group = format!("log-group:/auth-rocket/${{AWS::StackName}}/{function}:*");
        let arn =
            format!("arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:{group}");
        (
            vec!["logs:CreateLogStream", "logs:PutLogEvents"],
            json!({ "Resource": { "Fn::Sub": arn } }),
        )
    };
    let table = json!({ "Resource": { "Fn::GetAtt": ["OtpTable", "Arn"] } });
    let pool = json!({ "Resource": { "Fn::GetAtt": ["UserPool", "Arn"] } });
    let phones = json!({ "NotResource": { "Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*" } });
    let add_to_group = (vec!["cognito-idp:AdminAddUserToGroup"], pool);
    let more = |role: &str| match role {
        "SignUpRole" | "PostConfirmationRole" => vec![add_to_group.clone()],
        "CreateAuthChallengeRole" => vec![
            (
                vec!["dynamodb:GetItem", "dynamodb:UpdateItem"],
                table.clone(),
            ),
            (vec!["sns:Publish"], phones.clone()),
        ],
        "VerifyAuthChallengeResponseRole" => vec![(vec!["dynamodb:UpdateItem"], table.clone())],
        _ => vec![],
    };

    let template = Template::expanded();
    let statements = template.statements();
    let mut roles: BTreeSet<String> = functions()
        .iter()
        .map(|name| format!("{name}Role"))
        .collect();
    roles.insert("SmsRole".to_owned());
    assert_eq!(
        statements
            .keys()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>(),
        roles
    );
    for (role, statements) in statements {
        let granted: Vec<_> = statements
            .into_iter()
            .map(|statement| {
                assert_eq!(statement["Effect"], "Allow", "{role}");
                assert!(statement["Sid"].is_string(), "{role}: {statement}");
                assert!(
                    statement["Condition"].is_null() && statement["NotAction"].is_null(),
                    "{role}"
                );
                let mut target = Map::new();
                for key in ["Resource", "NotResource"] {
                    target.extend(
                        statement
                            .get(key)
                            .map(|value| (key.to_owned(), value.clone())),
                    );
                }
                (all_of(&statement["Action"]), Value::Object(target))
            })
            .collect();
        let expected = match role {
            // Cognito's own, for the messages of sign-ups.
            "SmsRole" => vec![(vec!["sns:Publish"], phones.clone())],
            _ => [vec![own_logs(role.trim_end_matches("Role"))], more(role)].concat(),
        };
        assert_eq!(granted, expected, "{role}");
    }
}

#[test]
fn only_lambda_takes_on_the_functions_roles_and_only_cognito_the_one_that_sends_sms() {
    for (name, role) in Template::expanded().resources_of("AWS::IAM::Role") {
        let trust = &role["Properties"]["AssumeRolePolicyDocument"]["Statement"];
        assert_eq!(trust.as_array().unwrap().len(), 1, "{name}");
        let service = match name {
            "SmsRole" => {
                let condition = &trust[0]["Condition"]["StringEquals"];
                assert_eq!(
                    condition["sts:ExternalId"],
                    json!({ "Ref": "AWS::StackName" })
                );
                assert_eq!(
                    condition["aws:SourceAccount"],
                    json!({ "Ref": "AWS::AccountId" })
                );
                "cognito-idp.amazonaws.com"
            }
            _ => "lambda.amazonaws.com",
        };
        assert_eq!(
            trust[0]["Principal"],
            json!({ "Service": service }),
            "{name}"
        );
    }
}

#[test]
fn every_function_has_a_role_and_a_log_group_of_its_own_and_one_route_or_trigger() {
    let template = Template::expanded();
    let names: BTreeSet<String> = template
        .resources_of("AWS::Lambda::Function")
        .into_iter()
        .map(|(name, _)| name.strip_suffix("Function").unwrap().to_owned())
        .collect();
    assert_eq!(names, functions());

    let mut callers: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (_, permission) in template.resources_of("AWS::Lambda::Permission") {
        let permission = &permission["Properties"];
        assert_eq!(permission["Action"], "lambda:InvokeFunction");
        let function = permission["FunctionName"]["Ref"].as_str().unwrap();
        callers.entry(function).or_default().push(permission);
    }
    for name in functions() {
        let function = format!("{name}Function");
        let properties = template.properties(&function);
        assert_eq!(
            properties["Role"],
            json!({ "Fn::GetAtt": [format!("{name}Role"), "Arn"] })
        );
        assert_eq!(
            properties["LoggingConfig"],
            json!({ "LogFormat": "JSON", "LogGroup": { "Ref": format!("{name}LogGroup") } })
        );
        let group = template.properties(&format!("{name}LogGroup"));
        assert_eq!(
            group["RetentionInDays"],
            json!({ "Ref": "LogRetentionDays" })
        );
        assert_eq!(properties["MemorySize"], 128, "{name}");

        let condition = CONDITIONS
            .iter()
            .find(|(of, _)| *of == name)
            .map(|(_, condition)| *condition);
        assert_eq!(
            template.0["Resources"][&function]["Condition"].as_str(),
            condition,
            "{name}"
        );

        let [caller] = &callers[&*function][..] else {
            panic!("not one caller of {name}: {:?}", callers[&*function]);
        };
        match routes().iter().find(|(_, of)| **of == name) {
            Some((path, _)) => {
                assert_eq!(caller["Principal"], "apigateway.amazonaws.com", "{name}");
                let source = caller["SourceArn"]["Fn::Sub"][0].as_str().unwrap();
                assert!(
                    source.ends_with(&format!("/POST{path}")),
                    "{name}: {source}"
                );
            }
            None => {
                assert_eq!(caller["Principal"], "cognito-idp.amazonaws.com", "{name}");
                assert_eq!(
                    caller["SourceArn"],
                    json!({ "Fn::GetAtt": ["UserPool", "Arn"] })
                );
                assert_eq!(caller["SourceAccount"], json!({ "Ref": "AWS::AccountId" }));
                let attached =
                    unconditional(&template.properties("UserPool")["LambdaConfig"][name]);
                assert_eq!(*attached, json!({ "Fn::GetAtt": [function, "Arn"] }));
            }
        }
    }
}

#[test]
fn every_route_answers_post_by_its_function_and_the_preflight_with_the_cors_headers() {
    let template = Template::expanded();
    let paths = template.paths();
    assert_eq!(
        paths.keys().copied().collect::<Vec<_>>(),
        routes().into_keys().collect::<Vec<_>>()
    );
    for (path, function) in routes() {
        let path = path.as_str();
        let methods = paths[path].as_object().unwrap();
        let mut names: Vec<&String> = methods.keys().collect();
        names.sort_unstable();
        assert_eq!(names, ["options", "post"], "{path}");

        let integration = &unconditional(&methods["post"])["x-amazon-apigateway-integration"];
        assert_eq!(integration["type"], "aws_proxy", "{path}");
        let uri = unconditional(&integration["uri"])["Fn::Sub"]
            .as_str()
            .unwrap();
        assert!(
            uri.contains(&format!("/functions/${{{function}Function.Arn}}/")),
            "{path}: {uri}"
        );

        let integration = &methods["options"]["x-amazon-apigateway-integration"];
        assert_eq!(integration["type"], "mock", "{path}");
        assert_eq!(
            integration["responses"]["default"]["responseParameters"],
            json!({
                "method.response.header.Access-Control-Allow-Origin": { "Fn::Sub": "'${AllowedOrigin}'" },
                "method.response.header.Access-Control-Allow-Headers": "'*'",
                "method.response.header.Access-Control-Allow-Methods": "'POST,OPTIONS'",
            }),
            "{path}"
        );
    }
}

#[test]
fn what_the_gateway_answers_itself_has_the_headers_and_the_body_of_every_error() {
    let template = Template::expanded();
    let answers = &template.properties("Api")["Body"]["x-amazon-apigateway-gateway-responses"];
    for (name, status, error_type, retry_after) in [
        ("DEFAULT_4XX", None, "BadRequestException", None),
        ("DEFAULT_5XX", Some("500"), "InternalErrorException", None),
        (
            "INTEGRATION_FAILURE",
            Some("503"),
            "ServiceUnavailableException",
            Some("'5'"),
        ),
        (
            "INTEGRATION_TIMEOUT",
            Some("503"),
            "ServiceUnavailableException",
            Some("'5'"),
        ),
        (
            "MISSING_AUTHENTICATION_TOKEN",
            Some("404"),
            "NotFoundException",
            None,
        ),
        (
            "REQUEST_TOO_LARGE",
            Some("413"),
            "RequestEntityTooLargeException",
            None,
        ),
        (
            "THROTTLED",
            Some("429"),
            "TooManyRequestsException",
            Some("'1'"),
        ),
    ] {
        let answer = &answers[name];
        assert_eq!(answer["statusCode"].as_str(), status, "{name}");
        let mut headers = json!({
            "gatewayresponse.header.Access-Control-Allow-Origin": { "Fn::Sub": "'${AllowedOrigin}'" },
            "gatewayresponse.header.Access-Control-Allow-Headers": "'*'",
            "gatewayresponse.header.Access-Control-Allow-Methods": "'POST,OPTIONS'",
            "gatewayresponse.header.Cache-Control": "'no-store'",
        });
        if let Some(seconds) = retry_after {
            headers["gatewayresponse.header.Retry-After"] = seconds.into();
            headers["gatewayresponse.header.Access-Control-Expose-Headers"] =
                "'Retry-After'".into();
        }
        assert_eq!(answer["responseParameters"], headers, "{name}");

        // `messageString` is the gateway's text in quotes.
        let body = answer["responseTemplates"]["application/json"]
            .as_str()
            .unwrap();
        let body = body.replace("$context.error.messageString", "\"Forbidden\"");
        let body: Value = serde_json::from_str(&body).unwrap();
        let message = body["error"]["message"].as_str().unwrap();
        assert_eq!(
            body,
            json!({ "error": { "type": error_type, "message": message } }),
            "{name}"
        );
    }
    assert_eq!(answers.as_object().unwrap().len(), 7);
}

#[test]
fn the_users_outlive_the_stack_and_the_pool_keeps_the_rules_that_the_emulator_does_not() {
    let template = Template::expanded();
    let resource = &template.0["Resources"]["UserPool"];
    let groups = template.resources_of("AWS::Cognito::UserPoolGroup");
    assert!(!groups.is_empty());
    let kept = groups.into_iter().map(|(_, group)| group).chain([resource]);
    for resource in kept {
        assert_eq!(resource["DeletionPolicy"], "RetainExceptOnCreate");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain");
    }

    let pool = template.properties("UserPool");
    assert_eq!(
        pool["DeletionProtection"],
        json!({ "Ref": "DeletionProtection" })
    );
    assert_eq!(
        pool["UsernameConfiguration"],
        json!({ "CaseSensitive": false })
    );
    let contacts =
        json!({ "Fn::If": ["IsUserPassword", ["email", "phone_number"], ["phone_number"]] });
    let update = &pool["UserAttributeUpdateSettings"];
    assert_eq!(
        update["AttributesRequireVerificationBeforeUpdate"],
        contacts
    );
    // Without passwords there is none to recover, and no message to have sent by asking.
    assert_eq!(
        pool["AccountRecoverySetting"]["RecoveryMechanisms"]["Fn::If"][2],
        json!([{ "Name": "admin_only", "Priority": 1 }])
    );
    let role = &pool["Schema"][0];
    assert_eq!(
        (&role["Name"], &role["Mutable"]),
        (&json!("role"), &json!(false))
    );

    let client = template.properties("UserPoolClient");
    assert_eq!(client["GenerateSecret"], false);
    assert_eq!(client["EnableTokenRevocation"], true);
    assert_eq!(
        client["PreventUserExistenceErrors"],
        json!({ "Ref": "UserExistenceErrors" })
    );
    for (property, parameter) in [
        ("AuthSessionValidity", "AuthSessionMinutes"),
        ("AccessTokenValidity", "AccessTokenMinutes"),
        ("IdTokenValidity", "AccessTokenMinutes"),
        ("RefreshTokenValidity", "RefreshTokenDays"),
    ] {
        assert_eq!(client[property], json!({ "Ref": parameter }), "{property}");
    }
    assert_eq!(
        client["TokenValidityUnits"],
        json!({ "AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days" })
    );
    assert_eq!(
        client["RefreshTokenRotation"]["Fn::If"][1],
        json!({ "Feature": "ENABLED", "RetryGracePeriodSeconds": 60 })
    );
    // With rotation Cognito refuses the older flow; without it GetTokensFromRefreshToken is all that is called.
    assert_eq!(
        client["ExplicitAuthFlows"],
        json!([
            { "Fn::If": ["IsUserPassword", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_CUSTOM_AUTH"] },
            { "Fn::If": ["RotatesRefreshTokens", { "Ref": "AWS::NoValue" }, "ALLOW_REFRESH_TOKEN_AUTH"] },
        ])
    );
    assert_eq!(
        client["WriteAttributes"],
        json!({ "Fn::If": [
            "IsUserPassword",
            ["email", "phone_number", "custom:role"],
            ["phone_number", "custom:role"],
        ] })
    );
}

#[test]
fn the_limits_table_is_encrypted_forgets_by_itself_and_goes_with_the_stack() {
    let template = Template::expanded();
    let table = &template.0["Resources"]["OtpTable"];
    assert_eq!(table["Condition"], "IsPasswordless");
    assert!(table["DeletionPolicy"].is_null() && table["UpdateReplacePolicy"].is_null());
    let properties = &table["Properties"];
    assert_eq!(properties["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(
        properties["SSESpecification"],
        json!({ "SSEEnabled": true })
    );
    assert_eq!(
        properties["TimeToLiveSpecification"],
        json!({ "AttributeName": "expiresAt", "Enabled": true })
    );
}

#[test]
fn the_parameters_and_outputs_have_their_names_and_defaults() {
    let template = Template::expanded();
    let parameters: BTreeMap<&str, String> = template.0["Parameters"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, parameter)| {
            let default = parameter["Default"].clone();
            let text = default.as_str().map(str::to_owned);
            (name.as_str(), text.unwrap_or_else(|| default.to_string()))
        })
        .collect();
    let expected = [
        ("AccessTokenMinutes", "60"),
        ("AllowedOrigin", "*"),
        ("AllowedPhonePrefixes", ""),
        ("Architecture", "x86_64"),
        ("AuthSessionMinutes", "3"),
        ("DeletionProtection", "INACTIVE"),
        ("EmailSignUpRoles", "User"),
        ("EmailVerification", "LINK"),
        ("LogLevel", "INFO"),
        ("LogRetentionDays", "30"),
        ("Mode", "UserPassword"),
        ("OtpCooldownSeconds", "30"),
        ("OtpMaxSendsPerDay", "20"),
        ("OtpMaxSendsPerHour", "5"),
        ("OtpMaxWrongAnswersPerHour", "10"),
        ("PasswordMinLength", "8"),
        ("PasswordRequireDigits", "true"),
        ("PasswordRequireLowercase", "true"),
        ("PasswordRequireSymbols", "true"),
        ("PasswordRequireUppercase", "true"),
        ("PhoneSignUpRoles", ""),
        ("RefreshTokenDays", "30"),
        ("RefreshTokenRotation", "ENABLED"),
        ("Roles", "User"),
        ("SkipConfirmationRoles", ""),
        ("SmsMessage", "Your sign-in code is {####}."),
        ("SmsSenderId", ""),
        ("StageName", "production"),
        ("UserExistenceErrors", "LEGACY"),
        ("UserPoolDomainPrefix", ""),
        ("UserPoolTier", "ESSENTIALS"),
    ];
    let expected = expected.map(|(name, default)| (name, default.to_owned()));
    assert_eq!(parameters, BTreeMap::from(expected));

    let outputs: BTreeSet<&str> = template.0["Outputs"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "AuthApiIssuer",
        "AuthApiJwksUri",
        "AuthApiURL",
        "AuthApiUserPoolClientId",
        "AuthApiUserPoolId",
    ];
    assert_eq!(outputs, BTreeSet::from(expected));
}
