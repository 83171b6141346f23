//! The expanded template: settings that the embedded AWS ignores or does not enforce.

use std::collections::{BTreeMap, BTreeSet};

use e2e::{Mode, ROUTES, Route, Specification, Stack, TRIGGERS, assert_lists, resource};
use serde_json::{Value, json};

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

    fn stage(&self) -> (&str, &Value) {
        self.resources_of("AWS::ApiGateway::Stage")[0]
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
    let traces = vec!["xray:PutTelemetryRecords", "xray:PutTraceSegments"];
    // X-Ray has no ARNs.
    let traces = [(traces, json!({ "Resource": "*" }))];
    let [without, with] = ["PassThrough", "Active"]
        .map(|tracing| Template::with(&[&format!("TracingMode={tracing}")]));
    let without = without.statements();
    for (role, statements) in with.statements() {
        let is_old = |statement: &&Value| without[role].contains(statement);
        let (old, added): (Vec<_>, Vec<_>) = statements.into_iter().partition(is_old);
        assert_eq!(old, without[role], "{role}");
        let added: Vec<_> = added.into_iter().map(permission).collect();
        assert_eq!(added, traces, "{role}");
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

/// The templates of all stacks.
fn decided_templates() -> [Template; 4] {
    [
        Stack::standard(),
        Stack::strict(),
        Stack::passwordless(),
        Stack::passwordless_strict(),
    ]
    .map(|stack| Template(stack.decided_template()))
}

/// Each value is empty, a parameter without NoEcho, or the name of a resource or of the stack.
#[test]
fn environment_variables_have_no_secrets() {
    for template in decided_templates() {
        for (_, function) in template.resources_of("AWS::Lambda::Function") {
            let variables = &function["Properties"]["Environment"]["Variables"];
            for (variable, value) in variables.as_object().unwrap() {
                if value == "" || value["Fn::Sub"] == "AuthRocket/${AWS::StackName}" {
                    continue;
                }
                let text = value.to_string();
                let source = text.split("\"Ref\":\"").nth(1);
                let source = source.and_then(|source| source.split('"').next());
                let source = source.unwrap_or_else(|| panic!("{variable}: {value}"));
                let resource = ["UserPool", "UserPoolClient", "OtpTable"].contains(&source);
                let parameter = &template.0["Parameters"][source];
                let public = parameter.is_object() && parameter["NoEcho"].is_null();
                assert!(resource || public, "{variable}: {source}");
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
fn each_function_has_its_limits_role_log_group_and_caller() {
    let template = Template::expanded();
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
        let log_group = format!("{name}LogGroup");
        assert_eq!(
            properties["LoggingConfig"],
            json!({ "LogFormat": "JSON", "LogGroup": { "Ref": log_group } })
        );
        // A trigger has the seconds that Cognito waits for it.
        let seconds = if route.is_some() { 20 } else { 5 };
        assert_eq!(properties["MemorySize"], 128, "{name}");
        assert_eq!(properties["Timeout"], seconds, "{name}");
        let retention = &template.properties(&log_group)["RetentionInDays"];
        assert_eq!(*retention, json!({ "Ref": "LogRetentionDays" }));

        let [caller] = &callers[&*function][..] else {
            panic!("not one caller of {name}: {:?}", callers[&*function]);
        };
        match route {
            Some(Route { path, .. }) => {
                assert_eq!(caller["Principal"], "apigateway.amazonaws.com", "{name}");
                let source = caller["SourceArn"]["Fn::Sub"][0].as_str().unwrap();
                let own = source.ends_with(&format!("/POST/auth{path}"));
                assert!(own, "{name}: {source}");
            }
            None => {
                assert_eq!(caller["Principal"], "cognito-idp.amazonaws.com", "{name}");
                let pool = json!({ "Fn::GetAtt": ["UserPool", "Arn"] });
                assert_eq!(caller["SourceArn"], pool, "{name}");
                assert_eq!(caller["SourceAccount"], json!({ "Ref": "AWS::AccountId" }));
            }
        }
    }
}

/// The answers of API Gateway itself: the kind, the status and the type of the error.
const GATEWAY_RESPONSES: [(&str, &str, &str); 14] = [
    ("ACCESS_DENIED", "403", "ForbiddenException"),
    // The status of this kind would apply to each kind without one, so it has none.
    ("DEFAULT_4XX", "null", "BadRequestException"),
    ("DEFAULT_5XX", "500", "InternalErrorException"),
    // Routes that do not exist get this kind or, with an Authorization header, one of the next two.
    ("MISSING_AUTHENTICATION_TOKEN", "404", "NotFoundException"),
    ("EXPIRED_TOKEN", "404", "NotFoundException"),
    ("INVALID_SIGNATURE", "404", "NotFoundException"),
    ("INTEGRATION_FAILURE", "503", "ServiceUnavailableException"),
    ("INTEGRATION_TIMEOUT", "503", "ServiceUnavailableException"),
    ("QUOTA_EXCEEDED", "429", "TooManyRequestsException"),
    ("REQUEST_TOO_LARGE", "413", "RequestEntityTooLargeException"),
    ("RESOURCE_NOT_FOUND", "404", "NotFoundException"),
    ("THROTTLED", "429", "TooManyRequestsException"),
    ("UNSUPPORTED_MEDIA_TYPE", "400", "BadRequestException"),
    ("WAF_FILTERED", "403", "ForbiddenException"),
];

#[test]
fn gateway_responses_have_the_documented_error_format() {
    let template = Template::of(Mode::UserPassword);
    let answers = &template.properties("Api")["Body"]["x-amazon-apigateway-gateway-responses"];
    let specified = Specification::of(Mode::Passwordless).errors();
    for (name, status, error_type) in GATEWAY_RESPONSES {
        let answer = &answers[name];
        let configured = answer["statusCode"].as_str().unwrap_or("null");
        assert_eq!(configured, status, "{name}");
        let error = (status.replace("null", "400"), error_type.to_owned());
        assert!(specified.contains(&error), "openapi.yaml lacks {error:?}");

        let body = answer["responseTemplates"]["application/json"].as_str();
        let body: Value = serde_json::from_str(body.unwrap()).unwrap();
        let message = body["error"]["message"].as_str().unwrap();
        // A template variable could repeat parts of the request.
        assert!(!message.is_empty() && !message.contains('$'), "{name}");
        let expected = json!({ "error": { "type": error_type, "message": message } });
        assert_eq!(body, expected, "{name}");

        let mut headers = json!({
            "gatewayresponse.header.Access-Control-Allow-Origin": { "Fn::Sub": "'${AllowedOrigin}'" },
            "gatewayresponse.header.Access-Control-Allow-Headers": "'*,Authorization'",
            "gatewayresponse.header.Access-Control-Allow-Methods": "'POST,OPTIONS'",
            "gatewayresponse.header.Cache-Control": "'no-store'",
        });
        if let "429" | "503" = status {
            let seconds = if status == "429" { "'1'" } else { "'5'" };
            headers["gatewayresponse.header.Retry-After"] = seconds.into();
            headers["gatewayresponse.header.Access-Control-Expose-Headers"] =
                "'Retry-After'".into();
        }
        assert_eq!(answer["responseParameters"], headers, "{name}");
    }
    let configured = answers.as_object().unwrap().keys().map(String::as_str);
    let known = GATEWAY_RESPONSES.map(|(name, ..)| name);
    assert_eq!(configured.collect::<BTreeSet<_>>(), BTreeSet::from(known));
}

#[test]
fn each_route_has_its_throttling_limits() {
    for mode in Mode::BOTH {
        let template = Template::of(mode);
        let (_, stage) = template.stage();
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
        let sending = mode.routes().filter(Route::sends_messages).map(|route| {
            let path = format!("/auth{}", route.path).replace('/', "~1");
            setting(&format!("/{path}"), "POST", "MessageThrottling")
        });
        let all = setting("/*", "*", "Throttling");
        let expected: Vec<Value> = [all].into_iter().chain(sending).collect();
        assert_eq!(
            stage["Properties"]["MethodSettings"],
            json!(expected),
            "MethodSettings in template.yaml, as x-sends-messages in openapi.yaml says for {}",
            mode.name()
        );
    }
}

#[test]
fn access_log_has_exactly_these_fields() {
    let template = Template::of(Mode::UserPassword);
    let (stage_name, stage) = template.stage();
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

    // They are created in the opposite order.
    for (name, needs) in [
        (stage_name, "ApiLogGroup"),
        ("ApiLogGroup", "ApiGatewayAccount"),
        ("ApiGatewayAccount", API_GATEWAY_ROLE),
    ] {
        let resource = template.0["Resources"][name].to_string();
        assert!(resource.contains(needs), "{resource}");
    }
    let role = template.properties(API_GATEWAY_ROLE);
    assert_eq!(
        role["ManagedPolicyArns"],
        json!([{
            "Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        }])
    );
    assert!(role["Policies"].is_null());
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
    for (protection, of_pool) in [("INACTIVE", "RetainExceptOnCreate"), ("ACTIVE", "Retain")] {
        let protection = format!("DeletionProtection={protection}");
        let template = Template::with(&["PhoneSignUpRoles=User", &protection]);
        // A failed first deployment leaves nothing, except a pool that it can't delete.
        for (name, policy) in [
            ("ApiGatewayAccount", "RetainExceptOnCreate"),
            (API_GATEWAY_ROLE, "RetainExceptOnCreate"),
            ("RoleGroupUser", "RetainExceptOnCreate"),
            ("SmsRole", of_pool),
            ("UserPool", of_pool),
        ] {
            let resource = &template.0["Resources"][name];
            assert_eq!(resource["DeletionPolicy"], policy, "{name}");
            assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{name}");
        }
    }
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
        let required = &update["AttributesRequireVerificationBeforeUpdate"];
        assert_eq!(required, verified, "{parameters:?}");
        let recovery = pool["AccountRecoverySetting"].to_string();
        let recovers = sends && !parameters.contains(&"Mode=Passwordless");
        assert_eq!(recovery.contains("verified_phone_number"), recovers);
        let all = template.0["Resources"].to_string();
        let sms = ["SmsConfiguration", "SmsRole", "sns:"];
        let found = sms.map(|text| all.contains(text));
        assert_eq!(found, [sends; 3], "{parameters:?}");
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

/// The resources with the stack's name in their properties, and the maximum length of a name.
const MAX_LENGTHS: [(&str, usize); 8] = [
    ("AWS::ApiGateway::RestApi", 1024),
    ("AWS::CloudWatch::Alarm", 255),
    ("AWS::CloudWatch::Dashboard", 255),
    ("AWS::Cognito::UserPool", 128),
    ("AWS::Cognito::UserPoolClient", 128),
    ("AWS::IAM::Role", 2048),
    ("AWS::Lambda::Function", 255),
    ("AWS::Logs::LogGroup", 512),
];

/// The texts in `value` that contain the stack's name, except the body of a dashboard.
fn texts_with_stack_name(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) if text.contains("AWS::StackName") => vec![text],
        Value::Array(items) => items.iter().flat_map(texts_with_stack_name).collect(),
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| *name != "DashboardBody");
            members
                .flat_map(|(_, member)| texts_with_stack_name(member))
                .collect()
        }
        _ => vec![],
    }
}

#[test]
fn longest_stack_name_fits_every_property() {
    let longest_name = "a".repeat(128);
    let template = Template::expanded();
    for (name, resource) in template.0["Resources"].as_object().unwrap() {
        for text in texts_with_stack_name(&resource["Properties"]) {
            let known = MAX_LENGTHS
                .iter()
                .find(|(kind, _)| resource["Type"] == *kind);
            let (_, max_length) = known.unwrap_or_else(|| panic!("{name}: {text}"));
            let text = text
                .replace("${AWS::StackName}", &longest_name)
                .replace("AWS::StackName", &longest_name)
                .replace("${AWS::Region}", "ap-southeast-99");
            assert!(text.len() <= *max_length, "{name}: {text}");
        }
    }
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
    assert_eq!(pool["UsernameConfiguration"]["CaseSensitive"], false);
    // Without passwords, there is nothing to recover, and nobody can cause a message.
    assert_eq!(
        pool["AccountRecoverySetting"]["RecoveryMechanisms"]["Fn::If"][2],
        json!([{ "Name": "admin_only", "Priority": 1 }])
    );
    let client = template.properties("UserPoolClient");
    assert_eq!(client["GenerateSecret"], false);
    for (property, parameter) in [
        ("AuthSessionValidity", "AuthSessionMinutes"),
        ("RefreshTokenValidity", "RefreshTokenDays"),
    ] {
        assert_eq!(client[property], json!({ "Ref": parameter }), "{property}");
    }
    assert_eq!(client["TokenValidityUnits"]["RefreshToken"], "days");
    let rotation = &client["RefreshTokenRotation"]["Fn::If"][1];
    assert_eq!(rotation["RetryGracePeriodSeconds"], 60);
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
    let expected = [
        (&[passwords][..], &both[..]),
        (&[passwords, refresh], &email),
        (&[challenges], &both),
        (&[challenges, refresh], &both),
    ];
    for (template, (flows, written)) in decided_templates().into_iter().zip(expected) {
        let client = template.properties("UserPoolClient");
        assert_eq!(client["ExplicitAuthFlows"], json!(flows));
        // The sign-up writes the role. The pool's schema rejects later changes.
        assert_eq!(client["WriteAttributes"], json!(written));
        let schema = json!([{ "Name": "role", "AttributeDataType": "String", "Mutable": false }]);
        assert_eq!(template.properties("UserPool")["Schema"], schema);
        assert_eq!(client["EnableTokenRevocation"], true);
        for oauth in ["AllowedOAuthFlows", "AllowedOAuthScopes", "CallbackURLs"] {
            assert!(client[oauth].is_null(), "{oauth}");
        }
    }
}

#[test]
fn limits_table_is_encrypted_and_expires_its_items() {
    let template = Template::of(Mode::Passwordless);
    let table = template.properties("OtpTable");
    assert_eq!(table["SSESpecification"]["SSEEnabled"], true);
    assert_eq!(
        table["TimeToLiveSpecification"],
        json!({ "AttributeName": "expiresAt", "Enabled": true })
    );
}
