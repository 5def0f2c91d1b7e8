use iam_policy::Principal;
use jiff::Timestamp;

use super::role_session::{Asked, trust_policy};
use crate::{
    answer::Refusal,
    authorise::Ask,
    identity::SessionTags,
    params::Params,
    services::{Call, Done, tags},
    state::{OidcProvider, State},
    web_identity::{Claims, Token, TokenError},
};

/// The operation that a token authenticates, in place of a signature.
pub(crate) const WEB_IDENTITY: &str = "AssumeRoleWithWebIdentity";
/// Characters of a token.
const TOKEN: std::ops::RangeInclusive<usize> = 4..=20_000;

/// The issuer whose keys the token of a request needs: the one that it names, if that is a provider of the role's account.
pub(crate) fn issuer_to_ask(state: &State, params: &Params) -> Option<String> {
    let account = state.account_of_arn(params.get("RoleArn")?)?;
    let text = params
        .get("WebIdentityToken")
        .filter(|text| TOKEN.contains(&text.len()))?;
    let token = Token::parse(text).ok()?;
    let issuer = token.alleged_issuer();
    state.seen(account).oidc_provider_of(issuer)?;
    Some(issuer.to_owned())
}

pub(super) fn assume_role(call: &mut Call<'_>) -> Done {
    let params = call.params;
    params.only(&[
        "RoleArn",
        "RoleSessionName",
        "WebIdentityToken",
        "DurationSeconds",
        "Policy",
        "PolicyArns",
    ])?;
    let asked = Asked::of(params)?;
    let text = params.required("WebIdentityToken")?;
    if !TOKEN.contains(&text.len()) {
        return Err(Refusal::validation(format!(
            "1 validation error detected: Value at 'webIdentityToken' failed to satisfy constraint: Member must have \
             length between {} and {}",
            TOKEN.start(),
            TOKEN.end()
        )));
    }
    let token = Token::parse(text).map_err(refusal)?;
    // Of an unknown account there is no provider either.
    let provider = call
        .state
        .account_of_arn(asked.arn)
        .and_then(|account| call.state.seen(account).oidc_provider_of(token.alleged_issuer()))
        .cloned()
        .ok_or_else(|| {
            invalid(format!(
                "No OpenIDConnect provider found in your account for {}",
                token.alleged_issuer()
            ))
        })?;
    let claims = match call.issuer_keys {
        Some(Ok(keys)) => token.verify(keys).map_err(refusal)?,
        Some(Err(error)) => return Err(unreachable_issuer(error)),
        None => return Err(unreachable_issuer("nobody gives its keys here")),
    };
    check_claims(&claims, &provider, call.now)?;

    let session = session_tags(&claims)?;
    let question = |action: &str| {
        let ask = Ask::new(action, asked.arn)
            .without_reason()
            .by(principal(&provider))
            .context("sts:RoleSessionName", asked.name)
            .context("aws:FederatedProvider", &provider.arn)
            .context(&format!("{}:sub", provider.issuer), &claims.sub)
            .contexts(&format!("{}:aud", provider.issuer), &claims.aud)
            .contexts(&format!("{}:amr", provider.issuer), &claims.amr);
        session.requested(ask)
    };
    let Some((account, role)) = asked.role(call.state) else {
        call.gate.deny(question("sts:AssumeRoleWithWebIdentity"));
        return Err(denied("sts:AssumeRoleWithWebIdentity"));
    };
    let of_role = |action: &str| {
        let trust = trust_policy(&role);
        tags::of_resource(question(action), &role.tags).resource_policy(Some(trust))
    };
    // A stranger learns no more than that it may not.
    let ours = |refusal: Refusal, action: &str| if refusal.status == 403 { denied(action) } else { refusal };
    call.gate
        .check(call.state, of_role("sts:AssumeRoleWithWebIdentity"))
        .map_err(|refusal| ours(refusal, "sts:AssumeRoleWithWebIdentity"))?;
    session
        .check(call, of_role)
        .map_err(|refusal| ours(refusal, "sts:TagSession"))?;
    let issued = asked.issue(call, (account, role), Some(provider.arn.clone()), session)?;
    let mut xml = issued;
    xml.text("SubjectFromWebIdentityToken", &claims.sub)
        .text("Audience", &claims.aud.join(","))
        .text("Provider", &provider.arn);
    Ok(Some(xml))
}

/// Whoever holds a token of this provider.
fn principal(provider: &OidcProvider) -> Principal {
    Principal::Federated {
        provider: provider.arn.clone(),
    }
}

/// Audience and times, by the world's clock.
fn check_claims(claims: &Claims, provider: &OidcProvider, now: Timestamp) -> Result<(), Refusal> {
    if !claims.aud.iter().any(|audience| provider.client_ids.contains(audience)) {
        return Err(invalid("Incorrect token audience"));
    }
    let now = now.as_second();
    if now >= claims.exp {
        return Err(Refusal::new(
            400,
            "ExpiredTokenException",
            format!(
                "Token expired: current date/time {now} must be before the expiration date/time{}",
                claims.exp
            ),
        ));
    }
    match claims.nbf {
        Some(from) if now < from => Err(Refusal::new(
            403,
            "IDPRejectedClaim",
            format!("The token is not valid before {from}, and now it is {now}"),
        )),
        _ => Ok(()),
    }
}

fn session_tags(claims: &Claims) -> Result<SessionTags, Refusal> {
    let mut read = Vec::new();
    for (key, values) in &claims.session.principal_tags {
        let [value] = values.as_slice() else {
            return Err(invalid(format!(
                "The session tag {key} in the token must have one value"
            )));
        };
        tags::check("principal_tags", key, 1..=128)?;
        tags::check("principal_tags", value, 0..=256)?;
        read.push((key.clone(), value.clone()));
    }
    if read.len() > tags::MOST {
        return Err(invalid(format!("The token has more than {} session tags", tags::MOST)));
    }
    SessionTags {
        tags: read,
        transitive: claims.session.transitive_tag_keys.clone(),
        source_identity: claims.source_identity.clone(),
    }
    .checked()
}

fn denied(action: &str) -> Refusal {
    Refusal::new(403, "AccessDenied", format!("Not authorized to perform {action}"))
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidIdentityToken", message)
}

fn refusal(error: TokenError) -> Refusal {
    invalid(match error {
        TokenError::Malformed => {
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
        }
        TokenError::Algorithm => {
            "The signature algorithm of the token is not one of RS256, RS384, RS512, ES256 and ES384"
        }
        TokenError::UnknownKey => {
            "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity \
             documentation for requirements"
        }
        TokenError::Signature => "The signature of the token does not match the keys of its issuer",
    })
}

fn unreachable_issuer(why: &str) -> Refusal {
    Refusal::new(
        400,
        "IDPCommunicationError",
        format!("The identity provider could not be asked for its keys: {why}"),
    )
}
