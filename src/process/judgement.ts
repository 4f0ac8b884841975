/** Whether settings that have been read are to be used, and what is to be said of them. */

import type { Policy } from '../core/policy/policy.ts'
import type { Result } from '../core/result.ts'
import { peerCertificateOf } from '../io/x509.ts'
import type { HolderRecord } from '../relay/admin.ts'
import { policyOf } from '../relay/policy-holder.ts'
import { failedPolicyTests } from '../relay/policy-tests.ts'
import type { FailedTest } from '../relay/policy-tests.ts'
import { directoryFindings } from './directory-findings.ts'
import type { LoadedSettings } from './settings.ts'

export type Judgement = {
  /** The `[[test]]` cases that these settings do not satisfy. */
  readonly failedTests: readonly FailedTest[]
  readonly holdsBack: boolean
  /** What is wrong and holds nothing back. */
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  /** What these settings make of the access map. */
  readonly policy: Policy
}

/** `before`: the policy in force. An access map that is the same is not gone through again. */
export function judgeSettings(directory: string, loaded: LoadedSettings, holders: Result<readonly HolderRecord[], string>, now: number, before: Policy | null): Judgement {
  const { config, forWorkers, access } = loaded
  const policy = policyOf(config, { ...forWorkers, read: access.map }, before)
  const { configText, configFile } = forWorkers
  const failedTests = holders.ok
    ? failedPolicyTests({ config, policy, configText, configFile, holders: holders.value, readCertificate: peerCertificateOf, now })
    : [{ text: holders.problem, holdsBack: true }]
  const findings = directoryFindings(directory, config, policy, now)
  const texts = (severity: 'error' | 'warning'): readonly string[] => findings.filter(finding => finding.severity === severity).map(({ text }) => text)
  return { failedTests, holdsBack: failedTests.some(({ holdsBack }) => holdsBack), errors: texts('error'), warnings: texts('warning'), policy }
}
