// Body of a serverless restore job: that of a dedicated one, whose target has to be named whatever the delivery is.
import { createRestoreJobBody } from '../restore-jobs/schemas.ts';

export const createServerlessRestoreJobBody = createRestoreJobBody.required({ targetClusterName: true, targetGroupId: true });
