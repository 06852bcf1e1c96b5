/** A Lambda function from one TypeScript file, with a log group and a role of its own. */
import { join } from "node:path";
import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, type Function as LambdaFunction, LoggingFormat, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogLevel, NodejsFunction, OutputFormat } from "aws-cdk-lib/aws-lambda-nodejs";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { AwsClient } from "../shared/aws-client.ts";
import { acknowledge } from "./acknowledge.ts";
import { BUNDLE, bundleChoice, PROJECT_ROOT } from "./bundling.ts";

/** The context under which a stack says which client of AWS its functions are bundled with. */
const AWS_CLIENT = "agent-event-bus:awsClient";

/** To be said before there are functions in the scope. */
export function bundleWith(scope: Construct, awsClient: AwsClient): void {
  scope.node.setContext(AWS_CLIENT, awsClient);
}

export interface NodeFunctionProps {
  /** The module that exports `handler`, relative to the project's root. */
  readonly entry: string;
  /** Only for what others must be able to name in their policies; without it CloudFormation makes one up. */
  readonly name?: string;
  /** Of its role, by which the bus knows it; without it CloudFormation makes one up. */
  readonly roleName?: string;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Environments kept for it, and the most it may have. Absent: it shares the account's. */
  readonly reservedConcurrency?: number;
}

export class NodeFunction extends Construct {
  readonly function: LambdaFunction;
  /** It may write its own logs; all else is granted where it is needed. */
  readonly role: Role;

  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, "Logs", {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      ...(props.roleName === undefined ? {} : { roleName: props.roleName }),
    });
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [logGroup.logGroupArn],
      }),
    );
    const { conditions, alias } = bundleChoice(props.entry, this.node.getContext(AWS_CLIENT) as AwsClient);
    this.function = new NodejsFunction(this, "Function", {
      entry: join(PROJECT_ROOT, props.entry),
      handler: "handler",
      description: props.description,
      projectRoot: PROJECT_ROOT,
      depsLockFilePath: join(PROJECT_ROOT, "package-lock.json"),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: Duration.seconds(props.timeoutSeconds),
      memorySize: props.memoryMb,
      environment: { ...props.environment },
      role: this.role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      bundling: {
        format: OutputFormat.CJS,
        target: BUNDLE.target,
        minify: BUNDLE.minify,
        mainFields: [...BUNDLE.mainFields],
        externalModules: [],
        sourceMap: BUNDLE.sourcemap,
        esbuildArgs: {
          "--conditions": conditions.join(","),
          "--alias": Object.entries(alias).map(([from, to]) => `${from}=${to}`),
        },
        forceDockerBundling: false,
        logLevel: LogLevel.WARNING,
      },
      ...(props.name === undefined ? {} : { functionName: props.name }),
      ...(props.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: props.reservedConcurrency }),
    });
    acknowledge(this.function, {
      "Serverless-LambdaTracing":
        "traceparent travels in the event; X-Ray would bill each call and start each function later",
    });
  }
}
