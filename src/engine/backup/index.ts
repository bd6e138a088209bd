// The door of the capture.
export { captureSnapshot, captureWith, type CaptureSteps } from './capture.ts';
export { CAPTURE_ERRORS, type CaptureErrorCode } from './errors.ts';
