// istiod-files is the real istiod (istio.io/istio/pilot) with its configuration read from a watched folder instead of
// from a cluster. `pilot-discovery --configDir … --registries=` alone ends with a nil dereference at this version: parts
// of the server want a Kubernetes client even when no registry uses it. An empty one, in this process, satisfies them.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"syscall"
	"time"
	"unsafe"

	"istio.io/istio/pilot/pkg/bootstrap"
	"istio.io/istio/pkg/cluster"
	"istio.io/istio/pkg/ctrlz"
	"istio.io/istio/pkg/keepalive"
	"istio.io/istio/pkg/kube"
)

func main() {
	configDir := flag.String("configDir", "", "folder of YAML files, watched")
	meshConfig := flag.String("meshConfig", "", "file with the MeshConfig, watched")
	grpc := flag.String("grpcAddr", "127.0.0.1:15010", "address of xDS in plain text")
	http := flag.String("httpAddr", "127.0.0.1:8080", "address of readiness and debug pages")
	monitoring := flag.String("monitoringAddr", "127.0.0.1:15014", "address of metrics")
	flag.Parse()

	args := bootstrap.NewPilotArgs(func(p *bootstrap.PilotArgs) {
		p.Namespace = "istio-system"
		p.PodName = "istiod"
		p.Revision = "default"
		p.CtrlZOptions = &ctrlz.Options{Port: 0, Address: "127.0.0.1"}
		p.RegistryOptions = bootstrap.RegistryOptions{FileDir: *configDir}
		p.RegistryOptions.KubeOptions.DomainSuffix = "cluster.local"
		p.RegistryOptions.KubeOptions.ClusterID = cluster.ID("Kubernetes")
		p.MeshConfigFile = *meshConfig
		p.NetworksConfigFile = os.DevNull
		p.KeepaliveOptions = keepalive.DefaultOption()
		p.ShutdownDuration = time.Second
		p.ServerOptions = bootstrap.DiscoveryServerOptions{HTTPAddr: *http, MonitoringAddr: *monitoring, GRPCAddr: *grpc}
	})
	server, err := bootstrap.NewServer(args, giveEmptyClient)
	if err != nil {
		end(err)
	}
	stop := make(chan struct{})
	if err := server.Start(stop); err != nil {
		end(err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
	close(stop)
	server.WaitUntilCompletion()
}

// The field has no setter: with a cluster, the server fills it from a kubeconfig.
func giveEmptyClient(server *bootstrap.Server) {
	field := reflect.ValueOf(server).Elem().FieldByName("kubeClient")
	settable := reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
	settable.Set(reflect.ValueOf(kube.NewFakeClient()))
}

func end(err error) {
	fmt.Fprintln(os.Stderr, "istiod-files:", err)
	os.Exit(1)
}
