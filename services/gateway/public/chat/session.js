/** Sign-in at the user pool, straight from the browser; the tokens stay in this tab. */

const stored = 'manuel-session';
let config;

const readSession = () => JSON.parse(sessionStorage.getItem(stored) ?? 'null');
const keep = (session) => sessionStorage.setItem(stored, JSON.stringify(session));

export const signedIn = () => readSession() !== null;
export const signOut = () => sessionStorage.removeItem(stored);

async function askPool(body) {
  config ??= await (await fetch('/config.json')).json();
  const endpoint = config.cognito_endpoint ?? `https://cognito-idp.${config.region}.amazonaws.com`;
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSCognitoIdentityProviderService.InitiateAuth',
    },
    body: JSON.stringify({ ...body, ClientId: config.client_id }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message ?? 'Signing in did not work.');
  if (!answer.AuthenticationResult) throw new Error('This account needs a step that this page does not offer.');
  return answer.AuthenticationResult;
}

function remember(result, refreshToken) {
  keep({
    token: result.AccessToken,
    refreshToken: result.RefreshToken ?? refreshToken,
    expiresAt: Date.now() + (result.ExpiresIn ?? 3600) * 1000,
  });
}

export async function signIn(username, password) {
  const AuthParameters = { USERNAME: username, PASSWORD: password };
  remember(await askPool({ AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters }));
}

/** An access token that holds for at least another minute; throws when the user must sign in again. */
export async function accessToken() {
  const session = readSession();
  if (!session) throw new Error('Sign in first.');
  if (session.expiresAt - Date.now() > 60_000) return session.token;
  const AuthParameters = { REFRESH_TOKEN: session.refreshToken };
  remember(await askPool({ AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters }), session.refreshToken);
  return readSession().token;
}
