/** Has tokens checked by the endpoint of whoever issues them (RFC 7662). */

import type { TokenTerms } from '../core/tokens/claims.ts'
import { formatClientCredentials, formatIntrospection, judgeIntrospection } from '../core/tokens/introspection.ts'
import type { System, TokenVerifier } from '../relay/ports.ts'
import type { Provider } from './provider-request.ts'

export type IntrospectionOptions = {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  readonly terms: TokenTerms
}

export function tokenIntrospection(provider: Pick<Provider, 'ask'>, options: IntrospectionOptions, system: Pick<System, 'now'>): TokenVerifier {
  const { url, terms } = options
  const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: formatClientCredentials(options) }
  return {
    verify: async token => {
      const answer = await provider.ask({ url, method: 'POST', headers, body: formatIntrospection(token) })
      const verdict = judgeIntrospection(answer, terms, system.now())
      if (verdict === null) throw new Error(`${url}: the answer is none to a token introspection (RFC 7662 §2.2)`)
      return verdict
    },
  }
}
