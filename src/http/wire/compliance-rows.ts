// What a backup compliance policy forbids, in the words that the vendor has for it; the same in all APIs of the family.
import type { ErrorRow, ErrorTable } from './mms-failure.ts';

const POLICY = 'while you have a Backup Compliance Policy enabled';

const DELETION: ErrorRow = { status: 400, errorCode: 'CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY', detail: `You can't delete snapshots ${POLICY}.` };
const EXPIRY: ErrorRow = { status: 400, errorCode: 'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY', detail: `You can't decrease the snapshot retention ${POLICY}.` };
const OTHER: ErrorRow = { status: 400, errorCode: 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID', detail: 'The Backup Compliance Policy doesn\'t allow it: %s.', parameters: ({ reason }) => [reason] };

const BY_RULE: Readonly<Record<string, ErrorRow>> = {
  deletion: DELETION,
  // With a cluster its snapshots would go.
  cluster: DELETION,
  expiry: EXPIRY,
  retention: { status: 400, errorCode: 'SNAPSHOT_RETENTION_LESS_THAN_BACKUP_COMPLIANCE_POLICY', detail: `You can't create a snapshot with a retention less than the Backup Compliance Policy setting ${POLICY}.` },
  schedule: { status: 400, errorCode: 'BACKUP_POLICY_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS', detail: 'Backup policy doesn\'t meet the minimum Backup Compliance Policy requirements: %s.', parameters: ({ reason }) => [reason] },
  restoreWindow: { status: 400, errorCode: 'CANNOT_DECREASE_PIT_WINDOW_WITH_BACKUP_COMPLIANCE_POLICY', detail: `You can't reduce the Continuous Cloud Backup Restore Window ${POLICY}.` },
  // Spelt as the vendor spells it.
  continuous: { status: 400, errorCode: 'CANNOT_DISABLE_PIT_WITH_BACKUUP_COMPLIANCE_POLICY', detail: `You can't disable Continuous Cloud Backup ${POLICY} that requires it.` },
  encryption: { status: 400, errorCode: 'CANNOT_DISABLE_ENCRYPTION_AT_REST_WITH_BACKUP_COMPLIANCE_POLICY', detail: `You can't disable Encryption at Rest ${POLICY}.` },
};

export const COMPLIANCE_ROWS: ErrorTable = { COMPLIANCE_PROTECTED: ({ rule }) => BY_RULE[String(rule)] ?? OTHER };
