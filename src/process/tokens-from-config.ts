/** `[oauth]` of postern.toml and its files, as whoever checks tokens. */

import type { Config } from '../core/config/schema.ts'
import { createPasswordCrypto } from '../io/password-crypto.ts'
import { Provider } from '../io/provider-request.ts'
import { system } from '../io/system.ts'
import { tokenIntrospection } from '../io/token-introspection.ts'
import { tokensByKeys } from '../io/token-keys.ts'
import type { TokenVerifier } from '../relay/ports.ts'
import { TokenChecks } from '../relay/token-checks.ts'
import type { TokenFiles } from './messages.ts'

/** Far more than any provider says of a token. */
const MOST_ANSWER_BYTES = 64 * 1024

export type Tokens = { readonly checks: TokenVerifier; close(): void }

export function tokensFromConfig(oauth: Config['oauth'], files: TokenFiles | null): Tokens {
  if (oauth === null || files === null) return { checks: { verify: () => Promise.reject(new Error('tokens are not taken any more')) }, close: () => {} }
  const { introspection, terms, timeoutSeconds, clientId } = oauth
  const { keySetText, trustedPem, clientSecret } = files
  const provider = new Provider({ trustedPem, timeoutSeconds, mostBytes: MOST_ANSWER_BYTES })
  const verifier =
    introspection === null ? tokensByKeys(keySetText ?? '', terms, system) : tokenIntrospection(provider, { url: introspection, clientId, clientSecret, terms }, system)
  return { checks: new TokenChecks(verifier, createPasswordCrypto(), system), close: () => provider.close() }
}
