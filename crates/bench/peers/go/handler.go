package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// Event has the fields of API Gateway's event that are read.
type Event struct {
	Body string `json:"body"`
}

type credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

type tokens struct {
	AccessToken  *string `json:"accessToken"`
	TokenID      *string `json:"tokenId"`
	RefreshToken *string `json:"refreshToken"`
	ExpiresIn    int32   `json:"expiresIn"`
	TokenType    *string `json:"tokenType"`
}

// Answer is the answer to API Gateway.
type Answer struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type signIn struct {
	cognito  *cognitoidentityprovider.Client
	clientID string
	headers  map[string]string
}

func newSignIn() (*signIn, error) {
	configuration, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return nil, err
	}
	cognito := cognitoidentityprovider.NewFromConfig(configuration, func(options *cognitoidentityprovider.Options) {
		// This version of the SDK does not read the variable itself.
		if url := os.Getenv("AWS_ENDPOINT_URL"); url != "" {
			options.EndpointResolver = cognitoidentityprovider.EndpointResolverFromURL(url)
		}
	})
	return &signIn{
		cognito:  cognito,
		clientID: os.Getenv("USER_POOL_CLIENT_ID"),
		headers: map[string]string{
			"Content-Type":                 "application/json",
			"Cache-Control":                "no-store",
			"Access-Control-Allow-Origin":  os.Getenv("ALLOWED_ORIGIN"),
			"Access-Control-Allow-Headers": "*,Authorization",
			"Access-Control-Allow-Methods": "POST,OPTIONS",
		},
	}, nil
}

func (signIn *signIn) handle(event Event) (*Answer, error) {
	var request credentials
	if err := json.Unmarshal([]byte(event.Body), &request); err != nil {
		return nil, err
	}
	answer, err := signIn.cognito.InitiateAuth(context.Background(), &cognitoidentityprovider.InitiateAuthInput{
		ClientId: &signIn.clientID,
		AuthFlow: types.AuthFlowTypeUserPasswordAuth,
		AuthParameters: map[string]string{
			"USERNAME": request.Username,
			"PASSWORD": request.Password,
		},
	})
	if err != nil {
		return nil, err
	}
	result := answer.AuthenticationResult
	body, err := json.Marshal(tokens{
		AccessToken:  result.AccessToken,
		TokenID:      result.IdToken,
		RefreshToken: result.RefreshToken,
		ExpiresIn:    result.ExpiresIn,
		TokenType:    result.TokenType,
	})
	if err != nil {
		return nil, err
	}
	return &Answer{StatusCode: 200, Headers: signIn.headers, Body: string(body)}, nil
}
