// Codes of the configuration room.

export const CONFIG_ERRORS = {
  CONFIG_INVALID: 'Settings are wrong; details.mistakes lists every one of them',
  CONFIG_FILE_UNREADABLE: 'The settings file cannot be read',
} as const;
