/**
 * Deploys the CDK app to an emulator in seconds, where `cdk bootstrap` and `cdk deploy` take half a minute.
 *
 * Stages: synthesize, upload the assets, put what a bootstrap leaves behind, create or update the stack, wait for it.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type Stack,
  UpdateStackCommand,
} from "@aws-sdk/client-cloudformation";
import { type BucketLocationConstraint, CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { AwsTarget } from "./emulator.ts";
import type { Progress } from "./install.ts";
import { type Context, EMULATOR_CONTEXT, synthesize } from "./synthesize.ts";
import { zipFolder } from "./zip.ts";

const STACK_NAME = "AgentEventBus";

/** https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html: the stack refuses anything below 6. */
const BOOTSTRAP_VERSION = "30";
const BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version";

const POLL_MS = 100;
const DEPLOY_TIMEOUT_MS = 180_000;

export interface DeployOptions {
  /** The one base URL that subscribers call. */
  readonly publicUrl: string;
  /** More context for `infra/`. */
  readonly context?: Context;
  readonly progress?: Progress;
}

/** The stack's outputs by name: `EmitUrl`, `TableName` and so on. */
export type Outputs = Readonly<Record<string, string>>;

interface FileAsset {
  readonly source: { readonly path: string; readonly packaging: "file" | "zip" };
  readonly destinations: Readonly<Record<string, { readonly bucketName: string; readonly objectKey: string }>>;
}

/**
 * Deploys the bus, or brings the one that is there up to date. Done when it resolves.
 *
 * @throws Error that names the resources that failed, and why
 */
export async function deployStack(target: AwsTarget, options: DeployOptions): Promise<Outputs> {
  const progress = options.progress ?? (() => {});
  const assembly = await mkdtemp(join(tmpdir(), "agent-event-bus-synth-"));
  try {
    progress("Bundling the functions and synthesizing the stack");
    await synthesize(assembly, {
      ...EMULATOR_CONTEXT,
      publicUrl: options.publicUrl,
      stackName: STACK_NAME,
      ...options.context,
    });
    progress("Deploying the stack");
    const templateUrl = await uploadAssets(target, assembly);
    await new SSMClient({ ...target }).send(
      new PutParameterCommand({ Name: BOOTSTRAP_PARAMETER, Type: "String", Value: BOOTSTRAP_VERSION, Overwrite: true }),
    );
    return await createOrUpdate(new CloudFormationClient({ ...target }), templateUrl);
  } finally {
    await rm(assembly, { recursive: true, force: true });
  }
}

/** @returns where the template is */
async function uploadAssets(target: AwsTarget, assembly: string): Promise<string> {
  const s3 = new S3Client({ ...target, forcePathStyle: true });
  const manifest = JSON.parse(await readFile(join(assembly, `${STACK_NAME}.assets.json`), "utf8")) as {
    files: Record<string, FileAsset>;
  };
  const buckets = new Set<string>();
  let templateUrl: string | null = null;
  for (const { source, destinations } of Object.values(manifest.files)) {
    const path = join(assembly, source.path);
    const body = source.packaging === "zip" ? await zipFolder(path) : await readFile(path);
    for (const { bucketName, objectKey } of Object.values(destinations)) {
      const bucket = bucketName
        .replaceAll("${AWS::AccountId}", target.credentials.accessKeyId)
        .replaceAll("${AWS::Region}", target.region);
      if (!buckets.has(bucket)) await createBucket(s3, bucket, target.region);
      buckets.add(bucket);
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: objectKey, Body: body }));
      if (source.path === `${STACK_NAME}.template.json`)
        templateUrl = `https://s3.${target.region}.amazonaws.com/${bucket}/${objectKey}`;
    }
  }
  if (templateUrl === null) throw new Error(`The assembly has no template of a stack named ${STACK_NAME}.`);
  return templateUrl;
}

async function createBucket(s3: S3Client, bucket: string, region: string): Promise<void> {
  try {
    await s3.send(
      new CreateBucketCommand({
        Bucket: bucket,
        CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint },
      }),
    );
  } catch (error) {
    if (!(error instanceof Error && error.name === "BucketAlreadyOwnedByYou")) throw error;
  }
}

async function createOrUpdate(cloudFormation: CloudFormationClient, templateUrl: string): Promise<Outputs> {
  const input = {
    StackName: STACK_NAME,
    TemplateURL: templateUrl,
    Capabilities: ["CAPABILITY_IAM" as const, "CAPABILITY_NAMED_IAM" as const],
  };
  if ((await describe(cloudFormation)) === null) await cloudFormation.send(new CreateStackCommand(input));
  else
    try {
      await cloudFormation.send(new UpdateStackCommand(input));
    } catch (error) {
      if (!(error instanceof Error && error.message.includes("No updates are to be performed"))) throw error;
    }
  const stack = await untilSettled(cloudFormation);
  if (!/^(CREATE|UPDATE)_COMPLETE$/.test(stack.StackStatus ?? "")) throw await deploymentFailed(cloudFormation, stack);
  return Object.fromEntries(
    (stack.Outputs ?? []).map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue]),
  );
}

async function describe(cloudFormation: CloudFormationClient): Promise<Stack | null> {
  try {
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: STACK_NAME }));
    return Stacks[0] ?? null;
  } catch (error) {
    if (error instanceof Error && error.message.includes("does not exist")) return null;
    throw error;
  }
}

async function untilSettled(cloudFormation: CloudFormationClient): Promise<Stack> {
  const deadline = performance.now() + DEPLOY_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const stack = await describe(cloudFormation);
    if (stack !== null && !stack.StackStatus?.endsWith("_IN_PROGRESS")) return stack;
    await sleep(POLL_MS);
  }
  throw new Error(`The stack ${STACK_NAME} was not done within ${DEPLOY_TIMEOUT_MS / 1000} s.`);
}

async function deploymentFailed(cloudFormation: CloudFormationClient, stack: Stack): Promise<Error> {
  const { StackEvents = [] } = await cloudFormation.send(new DescribeStackEventsCommand({ StackName: STACK_NAME }));
  const failures = StackEvents.filter((event) => event.ResourceStatus?.endsWith("_FAILED"))
    .map(
      (event) =>
        `  ${event.LogicalResourceId} (${event.ResourceType}): ${event.ResourceStatusReason ?? event.ResourceStatus}`,
    )
    .reverse();
  const reason = stack.StackStatusReason === undefined ? "" : `: ${stack.StackStatusReason}`;
  return new Error([`The stack ${STACK_NAME} ended as ${stack.StackStatus}${reason}`, ...failures].join("\n"));
}
