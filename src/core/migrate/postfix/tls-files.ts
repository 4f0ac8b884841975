/**
 * Postfix's certificates and keys, and what TLS must be.
 */

import { carryPair } from '../certificates.ts'
import { tlsLevel } from './next-hops.ts'
import { untold } from './site.ts'
import type { PostfixSite } from './site.ts'

/** Before the next hops, some of which have levels of their own. */
export function carryTlsLevels(site: PostfixSite): void {
  carryServerLevel(site)
  carryClientLevel(site)
}

export function carryTlsFiles(site: PostfixSite): void {
  carryCertificate(site, 'smtpd', 'tls')
  carryCertificate(site, 'smtp', 'delivery')
  carryTrusted(site)
}

function carryCertificate({ main, draft, files, spokenOf }: PostfixSite, side: 'smtpd' | 'smtp', table: 'tls' | 'delivery'): void {
  const [certificateName, keyName, chainName] = [`${side}_tls_cert_file`, `${side}_tls_key_file`, `${side}_tls_chain_files`]
  for (const name of [certificateName, keyName, chainName]) spokenOf.add(name)
  const certificate = main.get(certificateName)
  // Without a parameter of its own the key is in the certificate's file.
  carryPair(draft, files, { table, certificate, key: main.get(keyName) ?? certificate })
  const chain = main.get(chainName)
  if (chain !== null) draft.todo(chain, `Postern wants the certificate with its chain, and the key, in files of their own: ${table}.certificate and ${table}.key`)
}

function carryServerLevel({ main, draft, spokenOf }: PostfixSite): void {
  for (const name of ['smtpd_tls_security_level', 'smtpd_use_tls', 'smtpd_enforce_tls', 'smtpd_tls_ask_ccert', 'smtpd_tls_req_ccert', 'smtpd_tls_CAfile', 'smtpd_tls_CApath']) spokenOf.add(name)
  const level = main.get('smtpd_tls_security_level')
  if (level?.value === 'encrypt') draft.todo(level, 'Postern\'s mx listener offers STARTTLS, and does not insist on it: a line "TLS_Clt: ENCR:112" in the access map does')
  else if (level !== null) draft.carried(level, 'STARTTLS is offered on mx, and required on submission: always so')
  for (const name of ['smtpd_use_tls', 'smtpd_enforce_tls', 'smtpd_tls_ask_ccert']) {
    const parameter = main.get(name)
    if (parameter !== null) draft.carried(parameter, 'STARTTLS is offered, and certificates are asked for: always so')
  }
  const required = main.get('smtpd_tls_req_ccert')
  if (required !== null) draft.todo(required, 'On mx a client without a certificate is served for our own domains; on submission nobody is without one')
  for (const name of ['smtpd_tls_CAfile', 'smtpd_tls_CApath']) {
    const parameter = main.get(name)
    if (parameter !== null) draft.carried(parameter, 'the CAs that the restrictions let relay: client-ca')
  }
}

function carryClientLevel({ main, draft, spokenOf }: PostfixSite): void {
  for (const name of ['smtp_tls_security_level', 'smtp_use_tls', 'smtp_enforce_tls']) spokenOf.add(name)
  const level = main.get('smtp_tls_security_level')
  const old = main.get('smtp_use_tls') ?? main.get('smtp_enforce_tls')
  if (level !== null) {
    const known = tlsLevel(level.value)
    if (known !== null) draft.set(level, 'delivery.tls', known)
    else draft.todo(level, `Postern does not verify with ${level.value} in this version: delivery.tls stays "opportunistic", and tls = "verify" in a [[route]] is the nearest`)
  } else if (old !== null) draft.carried(old, 'delivery.tls = "opportunistic", the default')
  else draft.carried(untold('mail was sent in clear'), 'delivery.tls = "opportunistic": encrypted where it can be')
}

function carryTrusted({ main, draft, files, spokenOf }: PostfixSite): void {
  for (const name of ['smtp_tls_CAfile', 'smtp_tls_CApath']) {
    spokenOf.add(name)
    const parameter = main.get(name)
    if (parameter === null) continue
    const place = files.locate(parameter.value)
    if (!draft.verifiesNextHops()) draft.unneeded(parameter, 'no next hop has to be verified: the CAs do not matter')
    else if (place === null) draft.todo(parameter, `${parameter.value} is not here, and so next hops would be verified against the public CAs: put it there, and set delivery.trusted-ca`)
    else if (name === 'smtp_tls_CAfile') draft.set(parameter, 'delivery.trusted-ca', [place])
    else draft.todo(parameter, 'Postern takes CA files, not a folder: list them in delivery.trusted-ca')
  }
}
