//! The expanded template: settings that the embedded AWS ignores or does not enforce.

use std::collections::{BTreeMap, BTreeSet};

use e2e::{Mode, ROUTES, Route, Specification, Stack, TRIGGERS, assert_lists, resource, text};
use serde_json::{Value, json};

/// The triggers that only some stacks have, with their conditions.
const CONDITIONS: [(&str, &str); 4] = [
    ("CustomMessage", "HasCustomMessage"),
    ("CreateAuthChallenge", "IsPasswordless"),
    ("DefineAuthChallenge", "IsPasswordless"),
    ("VerifyAuthChallengeResponse", "IsPasswordless"),
];

/// The only role that serves the account and not the stack. It has AWS's managed policy.
const API_GATEWAY_ROLE: &str = "ApiGatewayLogsRole";

/// An expanded template.
struct Template(Value);

/// The Python with MiniStack, which expands templates.
const PYTHON: &str = "local/.venv-embedded-aws/bin/python";

impl Template {
    fn expanded() -> Self {
        Self(Stack::standard().template())
    }

    /// The template of the mode's stack with the defaults, without the other mode's resources.
    fn of(mode: Mode) -> Self {
        Self(Stack::of(mode).decided_template())
    }

    /// The template of a stack with these parameters, and defaults for the rest.
    fn with(parameters: &[&str]) -> Self {
        let expand = ["run", PYTHON, "local/expand_template.py"];
        let expanded = Stack::standard().embedded_aws(&[&expand, parameters].concat());
        Self(serde_json::from_str(&expanded).unwrap())
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

    /// Each role's statements: its own and those of attached policies.
    fn statements(&self) -> BTreeMap<&str, Vec<&Value>> {
        let mut statements: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for (name, role) in self.resources_of("AWS::IAM::Role") {
            let role = &role["Properties"];
            if name == API_GATEWAY_ROLE {
                continue;
            }
            for property in ["ManagedPolicyArns", "PermissionsBoundary"] {
                assert!(role[property].is_null(), "{name} has {property}");
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
}

fn statements_of(policy: &Value) -> &Vec<Value> {
    policy["PolicyDocument"]["Statement"].as_array().unwrap()
}

/// The value if the condition holds.
fn unconditional(value: &Value) -> &Value {
    match value.get("Fn::If") {
        Some(choice) => unconditional(&choice[1]),
        None => value,
    }
}

/// Every function of both modes by its logical name, with its route unless it is a trigger.
fn functions() -> BTreeMap<String, Option<Route>> {
    let triggers = TRIGGERS.iter().map(|trigger| (resource(trigger), None));
    let routes = ROUTES.iter().map(|route| (route.resource(), Some(*route)));
    triggers.chain(routes).collect()
}

/// A string or an array of strings, as a list.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().flat_map(strings).collect(),
        _ => vec![value.as_str().unwrap()],
    }
}

#[test]
fn roles_have_exactly_these_permissions() {
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
    // The e-mail address: the text between < and >, or all of it.
    let doubled = json!({ "Fn::Sub": "${EmailFrom}<${EmailFrom}" });
    let second = json!({ "Fn::Select": [1, { "Fn::Split": ["<", doubled] }] });
    let address = json!({ "Fn::Select": [0, { "Fn::Split": [">", second] }] });
    let sender = json!({
        "Resource": [{ "Ref": "SesIdentityArn" }],
        "Condition": { "StringEquals": { "ses:FromAddress": address } },
    });
    let add_to_group = (vec!["cognito-idp:AdminAddUserToGroup"], pool.clone());
    let end_sessions = (vec!["cognito-idp:AdminUserGlobalSignOut"], pool);
    let more = |mode, role: &str| match (mode, role) {
        (_, "SignUpRole") => vec![add_to_group.clone()],
        (_, "PostConfirmationRole") => vec![end_sessions.clone(), add_to_group.clone()],
        (Mode::Passwordless, "CreateAuthChallengeRole") => vec![
            (
                vec!["dynamodb:GetItem", "dynamodb:UpdateItem"],
                table.clone(),
            ),
            (vec!["sns:Publish"], phones.clone()),
            (vec!["ses:SendEmail"], sender.clone()),
        ],
        (Mode::Passwordless, "VerifyAuthChallengeResponseRole") => {
            vec![(vec!["dynamodb:UpdateItem"], table.clone())]
        }
        _ => vec![],
    };

    for mode in Mode::BOTH {
        let template = Template::of(mode);
        let statements = template.statements();
        let roles = functions().into_keys().map(|name| format!("{name}Role"));
        let roles = roles.chain(["SmsRole".to_owned()]).collect();
        let found = statements.keys().map(|name| (*name).to_owned());
        assert_lists("template.yaml, roles", &found.collect(), &roles);
        for (role, statements) in statements {
            let permissions: Vec<_> = statements.into_iter().map(permission).collect();
            let expected = match role {
                // Cognito uses it for the messages of sign-ups.
                "SmsRole" => vec![(vec!["sns:Publish"], json!({ "Resource": "*" }))],
                _ => [
                    vec![own_logs(role.trim_end_matches("Role"))],
                    more(mode, role),
                ]
                .concat(),
            };
            assert_eq!(permissions, expected, "{role} of {}", mode.name());
        }
    }
}

#[test]
fn tracing_adds_only_the_permission_to_write_traces() {
    let template = Template::expanded();
    let traces = json!({
        "PolicyName": "write-traces",
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "WriteTraces",
                "Effect": "Allow",
                "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
                // X-Ray has no ARNs.
                "Resource": "*",
            }],
        },
    });
    for function in functions().into_keys() {
        let policies = &template.properties(&format!("{function}Role"))["Policies"];
        assert_eq!(policies.as_array().unwrap().len(), 2, "{function}");
        let choice = json!({ "Fn::If": ["HasTraces", traces, { "Ref": "AWS::NoValue" }] });
        assert_eq!(policies[1], choice, "{function}");
    }
}

/// The actions and the target of an `Allow` statement.
fn permission(statement: &Value) -> (Vec<&str>, Value) {
    let keys: BTreeSet<&str> = statement
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let target = ["Resource", "NotResource"]
        .into_iter()
        .find(|key| keys.contains(key))
        .unwrap();
    let mut on = json!({ target: statement[target] });
    let mut expected = BTreeSet::from(["Action", "Effect", "Sid", target]);
    if keys.contains("Condition") {
        expected.insert("Condition");
        on["Condition"] = statement["Condition"].clone();
    }
    assert_eq!(keys, expected, "{statement}");
    assert_eq!(statement["Effect"], "Allow", "{statement}");
    (strings(&statement["Action"]), on)
}

#[test]
fn functions_have_exactly_these_environment_variables() {
    let everywhere = [
        "ALLOWED_ORIGIN",
        "ALLOWED_PHONE_PREFIXES",
        "EMAIL_SIGN_UP_ROLES",
        "LOG_LEVEL",
        "METRICS_NAMESPACE",
        "MODE",
        "PHONE_SIGN_UP_ROLES",
        "REAUTHENTICATION_MINUTES",
        "ROLES",
        "SKIP_CONFIRMATION_ROLES",
    ];
    let limits = [
        "OTP_COOLDOWN_SECONDS",
        "OTP_MAX_SENDS_PER_DAY",
        "OTP_MAX_SENDS_PER_HOUR",
        "OTP_TABLE_NAME",
    ];
    for stack in [
        Stack::standard(),
        Stack::strict(),
        Stack::passwordless(),
        Stack::passwordless_strict(),
    ] {
        let template = Template(stack.decided_template());
        for (function, resource) in template.resources_of("AWS::Lambda::Function") {
            let name = function.strip_suffix("Function").unwrap();
            let more = match name {
                "CreateAuthChallenge" => {
                    let messages = [
                        "EMAIL_CODE_MESSAGE",
                        "EMAIL_CODE_SUBJECT",
                        "EMAIL_FROM",
                        "EMAIL_REPLY_TO",
                        "SES_CONFIGURATION_SET",
                        "SES_REGION",
                        "SMS_MESSAGE",
                        "SMS_REGION",
                        "SMS_SENDER_ID",
                    ];
                    [&limits[..], &messages].concat()
                }
                "VerifyAuthChallengeResponse" => limits.to_vec(),
                "CustomMessage" => vec![
                    "CONTACT_CHANGES",
                    "RESET_EMAIL_MESSAGE",
                    "RESET_EMAIL_SUBJECT",
                ],
                _ if functions()[name].is_some() => vec!["USER_POOL_CLIENT_ID", "USER_POOL_ID"],
                _ => vec![],
            };
            let variables = &resource["Properties"]["Environment"]["Variables"];
            let variables = variables.as_object().unwrap();
            let names = variables.keys().map(String::as_str).collect();
            let expected = everywhere.into_iter().chain(more).collect();
            let what = format!("{function} of {} in template.yaml", stack.name());
            assert_lists(&what, &names, &expected);

            // Each value is empty, a parameter without NoEcho, or the name of a resource or of the stack.
            for (variable, value) in variables {
                if value == "" || value["Fn::Sub"] == "AuthRocket/${AWS::StackName}" {
                    continue;
                }
                let text = value.to_string();
                let source = text.split("\"Ref\":\"").nth(1);
                let source = source.and_then(|source| source.split('"').next());
                let source = source.unwrap_or_else(|| panic!("{variable}: {value}"));
                let resource = ["UserPool", "UserPoolClient", "OtpTable"].contains(&source);
                let parameter = &template.0["Parameters"][source];
                assert!(
                    resource || (parameter.is_object() && parameter["NoEcho"].is_null()),
                    "{variable}: {source}"
                );
            }
        }
    }
}

/// The unique part of the stack's id.
fn stack_uuid() -> Value {
    json!({ "Fn::Select": [2, { "Fn::Split": ["/", { "Ref": "AWS::StackId" }] }] })
}

#[test]
fn each_role_trusts_only_its_service() {
    let [passwords, passwordless] = Mode::BOTH.map(Template::of);
    let roles = [&passwords, &passwordless].map(|template| template.resources_of("AWS::IAM::Role"));
    for (name, role) in roles.concat() {
        let trust = &role["Properties"]["AssumeRolePolicyDocument"]["Statement"];
        assert_eq!(trust.as_array().unwrap().len(), 1, "{name}");
        let service = match name {
            "SmsRole" => {
                let pools =
                    "arn:${AWS::Partition}:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/*";
                assert_eq!(
                    trust[0]["Condition"],
                    json!({
                        "StringEquals": {
                            "sts:ExternalId": stack_uuid(),
                            "aws:SourceAccount": { "Ref": "AWS::AccountId" },
                        },
                        "ArnLike": { "aws:SourceArn": { "Fn::Sub": pools } },
                    })
                );
                "cognito-idp.amazonaws.com"
            }
            API_GATEWAY_ROLE => "apigateway.amazonaws.com",
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
fn each_function_has_its_own_role_log_group_and_route() {
    let template = Template::expanded();
    let found = template.resources_of("AWS::Lambda::Function").into_iter();
    let found = found.map(|(name, _)| name.strip_suffix("Function").unwrap().to_owned());
    let names = functions().into_keys().collect();
    assert_lists("template.yaml, functions", &found.collect(), &names);

    let mut callers: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (_, permission) in template.resources_of("AWS::Lambda::Permission") {
        let permission = &permission["Properties"];
        assert_eq!(permission["Action"], "lambda:InvokeFunction");
        let function = permission["FunctionName"]["Ref"].as_str().unwrap();
        callers.entry(function).or_default().push(permission);
    }
    for (name, route) in functions() {
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

        let condition = match route {
            Some(route) => route.only_mode().map(|mode| format!("Is{}", mode.name())),
            None => {
                let mut conditions = CONDITIONS.iter();
                let condition = conditions.find(|(of, _)| *of == name);
                condition.map(|(_, condition)| (*condition).to_owned())
            }
        };
        assert_eq!(
            template.0["Resources"][&function]["Condition"].as_str(),
            condition.as_deref(),
            "{name}"
        );

        let [caller] = &callers[&*function][..] else {
            panic!("not one caller of {name}: {:?}", callers[&*function]);
        };
        match route {
            Some(Route { path, .. }) => {
                assert_eq!(caller["Principal"], "apigateway.amazonaws.com", "{name}");
                let source = caller["SourceArn"]["Fn::Sub"][0].as_str().unwrap();
                assert!(
                    source.ends_with(&format!("/POST/auth{path}")),
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
fn each_route_has_its_function_and_cors_preflight() {
    let template = Template::expanded();
    let paths = template.properties("Api")["Body"]["paths"].as_object();
    let paths = paths.unwrap();
    let routes = ROUTES.iter().map(|route| format!("/auth{}", route.path));
    let found = paths.keys().cloned();
    assert_lists("template.yaml, routes", &found.collect(), &routes.collect());
    for route in ROUTES.iter() {
        let (path, function) = (route.path, route.resource());
        let item = &paths[&format!("/auth{path}")];
        let condition = route.only_mode().map(|mode| format!("Is{}", mode.name()));
        assert_eq!(item["Fn::If"][0].as_str(), condition.as_deref(), "{path}");
        let methods = unconditional(item).as_object().unwrap();
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
                "method.response.header.Access-Control-Allow-Headers": "'*,Authorization'",
                "method.response.header.Access-Control-Allow-Methods": "'POST,OPTIONS'",
                "method.response.header.Access-Control-Max-Age": "'600'",
            }),
            "{path}"
        );
    }
}

/// Every kind of answer of API Gateway itself, with its default status.
const GATEWAY_RESPONSES: [(&str, u16); 19] = [
    ("ACCESS_DENIED", 403),
    ("API_CONFIGURATION_ERROR", 500),
    ("AUTHORIZER_CONFIGURATION_ERROR", 500),
    ("AUTHORIZER_FAILURE", 500),
    ("BAD_REQUEST_BODY", 400),
    ("BAD_REQUEST_PARAMETERS", 400),
    ("EXPIRED_TOKEN", 403),
    ("INTEGRATION_FAILURE", 504),
    ("INTEGRATION_TIMEOUT", 504),
    ("INVALID_API_KEY", 403),
    ("INVALID_SIGNATURE", 403),
    ("MISSING_AUTHENTICATION_TOKEN", 403),
    ("QUOTA_EXCEEDED", 429),
    ("REQUEST_TOO_LARGE", 413),
    ("RESOURCE_NOT_FOUND", 404),
    ("THROTTLED", 429),
    ("UNAUTHORIZED", 401),
    ("UNSUPPORTED_MEDIA_TYPE", 415),
    ("WAF_FILTERED", 403),
];

/// Kinds that never occur, because the API has no authorizer and no API keys.
const UNREACHABLE: [&str; 2] = ["INVALID_API_KEY", "UNAUTHORIZED"];

#[test]
fn gateway_responses_have_the_documented_error_format() {
    let template = Template::of(Mode::UserPassword);
    let answers = &template.properties("Api")["Body"]["x-amazon-apigateway-gateway-responses"];
    let specified = Specification::of(Mode::Passwordless).errors();
    let mut used = BTreeSet::new();
    for (name, default_status) in GATEWAY_RESPONSES {
        let default = if default_status < 500 {
            "DEFAULT_4XX"
        } else {
            "DEFAULT_5XX"
        };
        let (key, answer) = match answers.get(name) {
            Some(answer) => (name, answer),
            None => (default, &answers[default]),
        };
        used.insert(key);
        let status = answer.get("statusCode").map_or(default_status, |status| {
            status.as_str().unwrap().parse().unwrap()
        });
        let body = answer["responseTemplates"]["application/json"]
            .as_str()
            .unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        let message = body["error"]["message"].as_str().unwrap();
        // A template variable could repeat parts of the request.
        assert!(!message.is_empty() && !message.contains('$'), "{name}");
        let reachable = !UNREACHABLE.contains(&name);
        let (error_type, retry_after) = match status {
            _ if !reachable => ("BadRequestException", None),
            400 => ("BadRequestException", None),
            403 => ("ForbiddenException", None),
            404 => ("NotFoundException", None),
            413 => ("RequestEntityTooLargeException", None),
            429 => ("TooManyRequestsException", Some("'1'")),
            500 => ("InternalErrorException", None),
            503 => ("ServiceUnavailableException", Some("'5'")),
            _ => panic!("{name} answers {status}"),
        };
        let error = (status.to_string(), error_type.to_owned());
        assert!(
            !reachable || specified.contains(&error),
            "openapi.yaml lacks {error:?}"
        );
        assert_eq!(
            body,
            json!({ "error": { "type": error_type, "message": message } }),
            "{name}"
        );

        let mut headers = json!({
            "gatewayresponse.header.Access-Control-Allow-Origin": { "Fn::Sub": "'${AllowedOrigin}'" },
            "gatewayresponse.header.Access-Control-Allow-Headers": "'*,Authorization'",
            "gatewayresponse.header.Access-Control-Allow-Methods": "'POST,OPTIONS'",
            "gatewayresponse.header.Cache-Control": "'no-store'",
        });
        if let Some(seconds) = retry_after {
            headers["gatewayresponse.header.Retry-After"] = seconds.into();
            headers["gatewayresponse.header.Access-Control-Expose-Headers"] =
                "'Retry-After'".into();
        }
        assert_eq!(answer["responseParameters"], headers, "{name}");
    }
    // API Gateway uses these for routes that do not exist, without and with an Authorization header.
    for name in [
        "MISSING_AUTHENTICATION_TOKEN",
        "INVALID_SIGNATURE",
        "EXPIRED_TOKEN",
    ] {
        assert_eq!(answers[name]["statusCode"], "404", "{name}");
    }
    for name in ["INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT"] {
        assert_eq!(answers[name]["statusCode"], "503", "{name}");
    }
    // A status here would apply to every kind of answer without one.
    assert!(answers["DEFAULT_4XX"]["statusCode"].is_null());
    let configured = answers.as_object().unwrap().keys().map(String::as_str);
    assert_eq!(configured.collect::<BTreeSet<_>>(), used);
}

#[test]
fn each_route_has_its_throttling_limits() {
    for mode in Mode::BOTH {
        let template = Template::of(mode);
        let [(_, stage)] = template.resources_of("AWS::ApiGateway::Stage")[..] else {
            panic!("not one stage");
        };
        let setting = |path: &str, method: &str, class: &str| {
            json!({
                "ResourcePath": path,
                "HttpMethod": method,
                "LoggingLevel": "OFF",
                "DataTraceEnabled": false,
                "ThrottlingRateLimit": { "Ref": format!("{class}RateLimit") },
                "ThrottlingBurstLimit": { "Ref": format!("{class}BurstLimit") },
            })
        };
        let found = stage["Properties"]["MethodSettings"].as_array().unwrap();
        let sending = mode.routes().filter(Route::sends_messages);
        let sending: Vec<String> = sending
            .map(|route| format!("/{}", format!("/auth{}", route.path).replace('/', "~1")))
            .collect();
        let found = found
            .iter()
            .skip(1)
            .map(|setting| text(&setting["ResourcePath"]));
        assert_lists(
            "MessageThrottling in template.yaml, as x-sends-messages in openapi.yaml says",
            &found.collect(),
            &sending.iter().cloned().collect(),
        );
        let mut expected = vec![setting("/*", "*", "Throttling")];
        let sending = sending.iter();
        expected.extend(sending.map(|path| setting(path, "POST", "MessageThrottling")));
        assert_eq!(
            stage["Properties"]["MethodSettings"],
            json!(expected),
            "{}",
            mode.name()
        );
    }
}

#[test]
fn access_log_has_exactly_these_fields() {
    let template = Template::of(Mode::UserPassword);
    let [(_, stage)] = template.resources_of("AWS::ApiGateway::Stage")[..] else {
        panic!("not one stage");
    };
    let log = &stage["Properties"]["AccessLogSetting"];
    let format: Value = serde_json::from_str(log["Format"].as_str().unwrap()).unwrap();
    assert_eq!(
        format,
        json!({
            "requestId": "$context.requestId",
            "functionRequestId": "$context.integration.requestId",
            "ip": "$context.identity.sourceIp",
            "method": "$context.httpMethod",
            "route": "$context.resourcePath",
            "status": "$context.status",
            "latency": "$context.responseLatency",
            "integrationStatus": "$context.integration.status",
            "integrationLatency": "$context.integration.latency",
            "errorType": "$context.error.responseType",
        })
    );

    // The stage refers to the log group, the group to the account's setting, and the setting to the role.
    let destination = log["DestinationArn"]["Fn::Sub"].as_str().unwrap();
    assert!(
        destination.ends_with(":log-group:${ApiLogGroup}"),
        "{destination}"
    );
    let group = template.properties("ApiLogGroup");
    assert_eq!(
        group["RetentionInDays"],
        json!({ "Ref": "LogRetentionDays" })
    );
    assert_eq!(
        group["Tags"],
        json!([{ "Key": "ApiGatewayAccount", "Value": { "Ref": "ApiGatewayAccount" } }])
    );
    assert_eq!(
        *template.properties("ApiGatewayAccount"),
        json!({ "CloudWatchRoleArn": { "Fn::GetAtt": [API_GATEWAY_ROLE, "Arn"] } })
    );
    assert_eq!(
        template.properties(API_GATEWAY_ROLE)["ManagedPolicyArns"],
        json!([{
            "Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        }])
    );
    assert!(template.properties(API_GATEWAY_ROLE)["Policies"].is_null());
    assert_eq!(
        template.0["Resources"]["ApiGatewayAccount"]["DependsOn"],
        "Api"
    );
}

#[test]
fn web_acls_limit_each_address_and_only_count_body_rules() {
    assert!(
        Template::of(Mode::UserPassword)
            .resources_of("AWS::WAFv2::WebACL")
            .is_empty()
    );
    let template = Template(Stack::strict().decided_template());
    let stage =
        "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${Api}/stages/${ApiStage}";
    for (name, limit, resource) in [
        ("ApiWebAcl", "ApiWafRateLimit", json!({ "Fn::Sub": stage })),
        (
            "UserPoolWebAcl",
            "UserPoolWafRateLimit",
            json!({ "Fn::GetAtt": ["UserPool", "Arn"] }),
        ),
    ] {
        let acl = template.properties(name);
        assert_eq!(acl["Scope"], "REGIONAL");
        assert_eq!(acl["DefaultAction"], json!({ "Allow": {} }));
        let rules = acl["Rules"].as_array().unwrap();
        let [rate, reputation, common, pool_rules @ ..] = &rules[..] else {
            panic!("{name}: {rules:?}");
        };
        assert_eq!(pool_rules.len(), usize::from(name == "UserPoolWebAcl"));
        assert_eq!(rate["Action"], json!({ "Block": {} }), "{name}");
        assert_eq!(
            rate["Statement"]["RateBasedStatement"],
            json!({ "AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": { "Ref": limit } }),
            "{name}"
        );
        let group = |rule: &Value| {
            assert_eq!(rule["OverrideAction"], json!({ "None": {} }), "{name}");
            rule["Statement"]["ManagedRuleGroupStatement"].clone()
        };
        assert_eq!(
            group(reputation),
            json!({ "VendorName": "AWS", "Name": "AWSManagedRulesAmazonIpReputationList" })
        );
        let common = group(common);
        assert_eq!(common["Name"], "AWSManagedRulesCommonRuleSet");
        let counted = [
            "SizeRestrictions_BODY",
            "CrossSiteScripting_BODY",
            "GenericLFI_BODY",
            "GenericRFI_BODY",
            "EC2MetaDataSSRF_BODY",
        ];
        let counted = counted.map(|name| json!({ "Name": name, "ActionToUse": { "Count": {} } }));
        assert_eq!(common["RuleActionOverrides"], json!(counted), "{name}");
        let association = template.properties(&format!("{name}Association"));
        assert_eq!(
            association["WebACLArn"],
            json!({ "Fn::GetAtt": [name, "Arn"] })
        );
        assert_eq!(association["ResourceArn"], resource, "{name}");
        let visible = rules.iter().chain([acl]);
        for rule in visible {
            assert_eq!(rule["VisibilityConfig"]["SampledRequestsEnabled"], false);
        }
    }
}

#[test]
fn pool_web_acl_limits_operations_that_send_messages() {
    let template = Template(Stack::strict().decided_template());
    let acl = template.properties("UserPoolWebAcl");
    let rule = &acl["Rules"][3];
    assert_eq!(rule["Action"], json!({ "Block": {} }));
    let mut statement = rule["Statement"]["RateBasedStatement"].clone();
    let mut scope = statement["ScopeDownStatement"].take();
    assert_eq!(
        statement,
        json!({
            "AggregateKeyType": "IP",
            "EvaluationWindowSec": 300,
            "Limit": { "Ref": "UserPoolWafMessageRateLimit" },
            "ScopeDownStatement": null,
        })
    );
    let statements = scope["OrStatement"]["Statements"].take();
    let headers = ["x-amz-target", "x-amzn-cognito-operation-name"];
    assert_eq!(statements.as_array().unwrap().len(), headers.len());
    for (header, statement) in headers.iter().zip(statements.as_array().unwrap()) {
        let statement = &statement["RegexMatchStatement"];
        assert_eq!(
            statement["FieldToMatch"],
            json!({ "SingleHeader": { "Name": header } })
        );
        assert_eq!(
            statement["TextTransformations"],
            json!([{ "Priority": 0, "Type": "LOWERCASE" }])
        );
        // The operation's name, alone or after the service's name.
        let pattern = statement["RegexString"].as_str().unwrap();
        let operations = pattern.strip_prefix(r"(^|\.)(").unwrap();
        let operations = operations.strip_suffix(")$").unwrap().split('|');
        let expected = [
            "SignUp",
            "ResendConfirmationCode",
            "ForgotPassword",
            "UpdateUserAttributes",
            "GetUserAttributeVerificationCode",
        ];
        assert_eq!(
            operations.collect::<Vec<_>>(),
            expected.map(str::to_lowercase)
        );
    }
    // At most Cognito's quota for resets: 30 a second for an account.
    let limit = &Stack::strict().template()["Parameters"]["UserPoolWafMessageRateLimit"];
    assert!(limit["Default"].as_u64().unwrap() <= 30 * 300);
}

#[test]
fn stack_deletion_keeps_users_and_account_settings() {
    let assert_kept = |protection: &str, on_failure: &'static str| {
        let template = Template::with(&["PhoneSignUpRoles=User", protection]);
        let resources = template.0["Resources"].as_object().unwrap().iter();
        let kept: BTreeMap<String, String> = resources
            .filter(|(_, resource)| resource.get("DeletionPolicy").is_some())
            .map(|(name, resource)| {
                assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{name}");
                (
                    name.clone(),
                    resource["DeletionPolicy"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        // A failed first deployment leaves nothing, except a pool that it can't delete.
        let expected = [
            ("ApiGatewayAccount", "RetainExceptOnCreate"),
            ("ApiGatewayLogsRole", "RetainExceptOnCreate"),
            ("RoleGroupUser", "RetainExceptOnCreate"),
            ("SmsRole", on_failure),
            ("UserPool", on_failure),
        ];
        let expected = expected.map(|(name, policy)| (name.to_owned(), policy.to_owned()));
        assert_eq!(kept, BTreeMap::from(expected));
    };
    assert_kept("DeletionProtection=INACTIVE", "RetainExceptOnCreate");
    assert_kept("DeletionProtection=ACTIVE", "Retain");
}

#[test]
fn sms_role_exists_only_with_phone_sign_up() {
    let both = json!(["email", "phone_number"]);
    let (by_email, by_phone) = (json!(["email"]), json!(["phone_number"]));
    let ses = [
        "SesIdentityArn=arn:aws:ses:us-east-1:000000000000:identity/example.com",
        "EmailFrom=no-reply@example.com",
    ];
    let phone = ["Mode=Passwordless", "PhoneSignUpRoles=User"];
    let email = [&["Mode=Passwordless"], &ses[..]].concat();
    for (parameters, verified, sends) in [
        (&[][..], &by_email, false),
        (&["PhoneSignUpRoles=User"], &both, true),
        (&phone, &by_phone, true),
        (&[&phone[..], &ses].concat(), &both, true),
        (&email, &by_email, false),
    ] {
        let template = Template::with(parameters);
        let pool = template.properties("UserPool");
        // They can't change later, so every stack has both.
        assert_eq!(pool["UsernameAttributes"], both, "{parameters:?}");
        assert_eq!(pool["AutoVerifiedAttributes"], *verified, "{parameters:?}");
        let update = &pool["UserAttributeUpdateSettings"];
        // Cognito rejects a pool that lists an attribute here which it does not verify.
        assert_eq!(
            update["AttributesRequireVerificationBeforeUpdate"],
            *verified
        );
        let recovery = pool["AccountRecoverySetting"].to_string();
        let recovers = recovery.contains("verified_phone_number");
        assert_eq!(
            recovers,
            sends && !parameters.contains(&"Mode=Passwordless")
        );
        assert_eq!(
            pool["SmsConfiguration"].is_object(),
            sends,
            "{parameters:?}"
        );
        let all = template.0["Resources"].to_string();
        assert_eq!(all.contains("SmsRole"), sends, "{parameters:?}");
        assert_eq!(all.contains("sns:"), sends, "{parameters:?}");
    }
}

#[test]
fn sms_region_reaches_the_pool_and_the_function() {
    let passwordless = [
        "Mode=Passwordless",
        "EmailSignUpRoles=",
        "PhoneSignUpRoles=User",
    ];
    for (region, expected) in [("", "AWS::Region"), ("ap-northeast-1", "SmsRegion")] {
        let region = format!("SmsRegion={region}");
        let template = Template::with(&[&passwordless[..], &[&region]].concat());
        let sms = &template.properties("UserPool")["SmsConfiguration"];
        assert_eq!(sms["SnsRegion"], json!({ "Ref": expected }));
        assert_eq!(sms["ExternalId"], stack_uuid());
        let function = template.properties("CreateAuthChallengeFunction");
        let variable = &function["Environment"]["Variables"]["SMS_REGION"];
        assert_eq!(*variable, json!({ "Ref": "SmsRegion" }));
    }
}

/// The properties that contain the stack's name, with the maximum length of the service.
const PROPERTIES_WITH_STACK_NAME: [(&str, &str, usize); 12] = [
    ("AWS::ApiGateway::RestApi", "Body.info.title", 1024),
    ("AWS::ApiGateway::RestApi", "Name", 1024),
    ("AWS::CloudWatch::Alarm", "AlarmName", 255),
    ("AWS::CloudWatch::Alarm", "Dimensions.Value", 1024),
    ("AWS::CloudWatch::Alarm", "Namespace", 255),
    ("AWS::CloudWatch::Dashboard", "DashboardBody", 1 << 20),
    ("AWS::CloudWatch::Dashboard", "DashboardName", 255),
    ("AWS::Cognito::UserPool", "UserPoolName", 128),
    ("AWS::Cognito::UserPoolClient", "ClientName", 128),
    (
        "AWS::IAM::Role",
        "Policies.PolicyDocument.Statement.Resource",
        2048,
    ),
    (
        "AWS::Lambda::Function",
        "Environment.Variables.METRICS_NAMESPACE",
        255,
    ),
    ("AWS::Logs::LogGroup", "LogGroupName", 512),
];

/// Adds every text in `value` that contains the stack's name, with the path of its property.
fn find_stack_name<'a>(value: &'a Value, path: &str, found: &mut Vec<(String, &'a str)>) {
    match value {
        Value::String(text) if text.contains("AWS::StackName") => {
            found.push((path.to_owned(), text));
        }
        Value::Array(items) => {
            for item in items {
                find_stack_name(item, path, found);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let function = key == "Ref" || key.starts_with("Fn::");
                let path = match path {
                    _ if function => path.to_owned(),
                    "" => key.clone(),
                    _ => format!("{path}.{key}"),
                };
                find_stack_name(member, &path, found);
            }
        }
        _ => {}
    }
}

#[test]
fn longest_stack_name_fits_every_property() {
    let (longest_name, longest_region) = ("a".repeat(128), "ap-southeast-99");
    let template = Template::expanded();
    let mut used = BTreeSet::new();
    for resource in template.0["Resources"].as_object().unwrap().values() {
        let kind = resource["Type"].as_str().unwrap();
        let mut found = Vec::new();
        find_stack_name(&resource["Properties"], "", &mut found);
        for (property, text) in found {
            let name = text
                .replace("${AWS::StackName}", &longest_name)
                .replace("AWS::StackName", &longest_name)
                .replace("${AWS::Region}", longest_region);
            let known = PROPERTIES_WITH_STACK_NAME
                .iter()
                .find(|(of, at, _)| *of == kind && *at == property);
            let (of, at, max_length) = known.unwrap_or_else(|| panic!("{kind} {property}: {text}"));
            assert!(name.len() <= *max_length, "{kind} {property}: {text}");
            used.insert((*of, *at));
        }
    }
    let known = PROPERTIES_WITH_STACK_NAME.map(|(of, at, _)| (of, at));
    assert_eq!(used, BTreeSet::from(known));
    // Names that must be shorter, or without capitals, use the stack's id.
    let domain = &template.properties("UserPoolDomain")["Domain"];
    assert_eq!(domain["Fn::If"][2], stack_uuid());
    for protected in ["Api", "UserPool"] {
        let acl = template.properties(&format!("{protected}WebAcl"));
        let metric = json!({ "Fn::Join": ["-", [protected, stack_uuid()]] });
        assert_eq!(acl["VisibilityConfig"]["MetricName"], metric);
    }
}

#[test]
fn pool_has_the_settings_that_the_embedded_aws_ignores() {
    let template = Template::expanded();
    let pool = template.properties("UserPool");
    assert_eq!(
        pool["DeletionProtection"],
        json!({ "Ref": "DeletionProtection" })
    );
    assert_eq!(
        pool["UsernameConfiguration"],
        json!({ "CaseSensitive": false })
    );
    // Without passwords, there is nothing to recover, and nobody can cause a message.
    assert_eq!(
        pool["AccountRecoverySetting"]["RecoveryMechanisms"]["Fn::If"][2],
        json!([{ "Name": "admin_only", "Priority": 1 }])
    );

    let client = template.properties("UserPoolClient");
    assert_eq!(client["GenerateSecret"], false);
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
}

#[test]
fn client_allows_only_its_flow_and_role_is_immutable() {
    // With rotation, Cognito rejects the older flow. Without it, the API still calls only GetTokensFromRefreshToken.
    let passwords = "ALLOW_USER_PASSWORD_AUTH";
    let challenges = "ALLOW_CUSTOM_AUTH";
    let refresh = "ALLOW_REFRESH_TOKEN_AUTH";
    // Only the contacts that sign up.
    let both = ["email", "phone_number", "custom:role"];
    let email = ["email", "custom:role"];
    for (stack, flows, written) in [
        (Stack::standard(), &[passwords][..], &both[..]),
        (Stack::strict(), &[passwords, refresh], &email),
        (Stack::passwordless(), &[challenges], &both),
        (Stack::passwordless_strict(), &[challenges, refresh], &both),
    ] {
        let template = Template(stack.decided_template());
        let client = template.properties("UserPoolClient");
        assert_eq!(client["ExplicitAuthFlows"], json!(flows));
        // The sign-up writes the role. The pool's schema rejects later changes.
        assert_eq!(client["WriteAttributes"], json!(written));
        assert_eq!(
            template.properties("UserPool")["Schema"],
            json!([{ "Name": "role", "AttributeDataType": "String", "Mutable": false }])
        );
        assert_eq!(
            client["ReadAttributes"],
            json!([
                "email",
                "email_verified",
                "phone_number",
                "phone_number_verified",
                "custom:role",
            ])
        );
        assert_eq!(client["EnableTokenRevocation"], true);
        for oauth in ["AllowedOAuthFlows", "AllowedOAuthScopes", "CallbackURLs"] {
            assert!(client[oauth].is_null(), "{oauth}");
        }
    }
}

#[test]
fn limits_table_is_encrypted_and_expires_its_items() {
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
