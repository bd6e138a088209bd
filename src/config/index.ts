// The door of the configuration room.
export type { Config, CopySettings } from './config.ts';
export type { Declared, DeclaredOrganization, DeclaredPrincipals, DeclaredProject } from './declared.ts';
export type { ExportTarget } from './export-targets.ts';
export { CONFIG_ERRORS } from './errors.ts';
export { loadConfig, type ConfigSources, type Mistake } from './load-config.ts';
export { settingsReference } from './reference.ts';
export { flagName, SETTINGS, type Setting, type SettingName } from './settings.ts';
