/** `[oauth]` of postern.toml and its files, as whoever checks tokens. */

import type { Config } from '../core/config/schema.ts'
import { createPasswordCrypto } from '../io/password-crypto.ts'
import { Provider } from '../io/provider-request.ts'
import { system } from '../io/system.ts'
import { tokenIntrospection } from '../io/token-introspection.ts'
import { tokensByKeys, tokensByPublishedKeys } from '../io/token-keys.ts'
import type { TokenVerifier } from '../relay/ports.ts'
import { TokenChecks } from '../relay/token-checks.ts'
import type { TokenFiles } from './messages.ts'

/** Far more than any provider says of a token, or has keys. */
const MOST_ANSWER_BYTES = 256 * 1024

export type Tokens = { readonly checks: TokenVerifier; close(): void }

export function tokensFromConfig(oauth: Config['oauth'], files: TokenFiles | null): Tokens {
  if (oauth === null || files === null) return { checks: { verify: () => Promise.reject(new Error('tokens are not taken any more')) }, close: () => {} }
  const { trustedPem } = files
  const provider = new Provider({ trustedPem, timeoutSeconds: oauth.timeoutSeconds, mostBytes: MOST_ANSWER_BYTES })
  return { checks: new TokenChecks(verifierOf(oauth, files, provider), createPasswordCrypto(), system), close: () => provider.close() }
}

function verifierOf({ introspection, keySetUrl, terms, clientId }: NonNullable<Config['oauth']>, { keySetText, clientSecret }: TokenFiles, provider: Provider): TokenVerifier {
  if (introspection !== null) return tokenIntrospection(provider, { url: introspection, clientId, clientSecret, terms }, system)
  if (keySetUrl !== null) return tokensByPublishedKeys(provider, keySetUrl, terms, system)
  return tokensByKeys(keySetText ?? '', terms, system)
}
