/** What `cdk synth` and `cdk deploy` run. */
import { App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks, ServerlessChecks } from "cdk-nag";
import config from "../bus.config.ts";
import { BusStack } from "./bus-stack.ts";

const app = new App();
new BusStack(app, config);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
