// API keys, service accounts and their access lists in the document of the API.
import { z } from 'zod';
import type { DescribedAnswer, DescribedResource } from '../../describe.ts';
import { hexId, links, time } from '../../shapes.ts';
import * as accessLists from './access-lists.ts';
import * as keys from './api-keys.ts';
import { accessListItem, assignmentItem, createApiKeyBody, createServiceAccountBody, inviteBody, secretBody, updateApiKeyBody, updateServiceAccountBody } from './schemas.ts';
import * as accounts from './service-accounts.ts';

export const roleAssignment = z.strictObject({ groupId: hexId.optional(), orgId: hexId.optional(), roleName: z.string() });

const apiKey = {
  name: 'ApiKey',
  schema: z.strictObject({ desc: z.string().min(1).optional(), id: hexId, links, privateKey: z.string(), publicKey: z.string(), roles: z.array(roleAssignment) }),
};
const secret = {
  name: 'ServiceAccountSecret',
  schema: z.strictObject({ createdAt: time, expiresAt: time, id: hexId, lastUsedAt: time.optional(), maskedSecretValue: z.string(), secret: z.string().optional() }),
};
const account = {
  name: 'ServiceAccount',
  schema: z.strictObject({ clientId: z.string(), createdAt: time, description: z.string(), name: z.string(), roles: z.array(z.string()), secrets: z.array(secret.schema) }),
};
const entryMembers = { cidrBlock: z.string(), ipAddress: z.string().optional() };
const keyEntry = { name: 'ApiKeyAccessEntry', schema: z.strictObject({ ...entryMembers, links }) };
const accountEntry = { name: 'ServiceAccountAccessEntry', schema: z.strictObject(entryMembers) };
const accountGroup = { name: 'ServiceAccountGroup', schema: z.strictObject({ groupId: hexId, roles: z.array(z.string()) }) };

/** Lists are read item by item. */
const entriesBody = { name: 'AddAccessEntries', schema: z.array(accessListItem).min(1).max(accessLists.MOST_ENTRIES) };
const assignmentBody = { name: 'AssignApiKey', schema: z.array(assignmentItem).min(1).max(keys.MOST_ASSIGNMENTS) };

const one = (of: { readonly name: string; readonly schema: z.ZodType }): DescribedAnswer => ({ kind: 'one', of });
const page = (of: { readonly name: string; readonly schema: z.ZodType }): DescribedAnswer => ({ kind: 'page', of });

export const API_KEY_OPERATIONS: DescribedResource = {
  tag: 'API keys',
  operations: [
    [keys.listApiKeys, { summary: 'Lists API keys', answer: page(apiKey) }],
    [keys.getApiKey, { summary: 'Reads an API key, its private half hidden', answer: one(apiKey) }],
    [keys.createApiKey, { summary: 'Makes an API key; this answer alone holds its private half', body: { name: 'CreateApiKey', schema: createApiKeyBody }, answer: one(apiKey) }],
    [keys.updateApiKey, { summary: 'Changes an API key; roles replace those that it holds there', body: { name: 'UpdateApiKey', schema: updateApiKeyBody }, answer: one(apiKey) }],
    [keys.deleteApiKey, { summary: 'Deletes an API key; of a project it only takes it out', answer: { kind: 'none' } }],
    [keys.assignApiKey, { summary: 'Gives an API key roles in a project', body: assignmentBody, answer: one(apiKey) }],
    [accessLists.listKeyEntries, { summary: 'Lists the addresses from which an API key may be used', answer: page(keyEntry) }],
    [accessLists.getKeyEntry, { summary: 'Reads an entry of the access list of an API key', answer: one(keyEntry) }],
    [accessLists.addKeyEntries, { summary: 'Adds to the access list of an API key, as an owner of the organization or the key itself', body: entriesBody, answer: page(keyEntry) }],
    [accessLists.removeKeyEntry, { summary: 'Takes an entry out of the access list of an API key, as an owner of the organization or the key itself', answer: { kind: 'none' } }],
  ],
};

export const SERVICE_ACCOUNT_OPERATIONS: DescribedResource = {
  tag: 'Service accounts',
  operations: [
    [accounts.listServiceAccounts, { summary: 'Lists service accounts', answer: page(account) }],
    [accounts.getServiceAccount, { summary: 'Reads a service account, its secrets masked', answer: one(account) }],
    [accounts.createServiceAccount, { summary: 'Makes a service account; this answer alone holds its first secret', status: 201, body: { name: 'CreateServiceAccount', schema: createServiceAccountBody }, answer: one(account) }],
    [accounts.updateServiceAccount, { summary: 'Changes a service account; roles replace those that it holds there', body: { name: 'UpdateServiceAccount', schema: updateServiceAccountBody }, answer: one(account) }],
    [accounts.deleteServiceAccount, { summary: 'Deletes a service account; of a project it only takes it out', answer: { kind: 'none' } }],
    [accounts.listServiceAccountGroups, { summary: 'Lists the projects in which a service account holds roles', answer: page(accountGroup) }],
    [accounts.inviteServiceAccount, { summary: 'Gives a service account roles in a project', body: { name: 'InviteServiceAccount', schema: inviteBody }, answer: one(account) }],
    [accounts.createServiceAccountSecret, { summary: 'Makes another secret; this answer alone holds it', status: 201, body: { name: 'CreateServiceAccountSecret', schema: secretBody }, answer: one(secret) }],
    [accounts.deleteServiceAccountSecret, { summary: 'Deletes a secret', answer: { kind: 'none' } }],
    [accessLists.listAccountEntries, { summary: 'Lists the addresses from which a service account may be used', answer: page(accountEntry) }],
    [accessLists.addAccountEntries, { summary: 'Adds to the access list of a service account', body: entriesBody, answer: page(accountEntry) }],
    [accessLists.removeAccountEntry, { summary: 'Takes an entry out of the access list of a service account', answer: { kind: 'none' } }],
  ],
};
