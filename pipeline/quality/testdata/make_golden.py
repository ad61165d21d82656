"""Golden values for the clustering, reduction and quality packages (README.md beside this file says which). Writes to ./gold."""
import json, gzip, os, numpy as np, warnings
warnings.filterwarnings("ignore")
os.environ["OMP_NUM_THREADS"]="1"
os.makedirs("gold",exist_ok=True)
r=np.random.RandomState(7)
def js(x):
    if isinstance(x,np.ndarray): return x.tolist()
    if isinstance(x,(np.floating,np.integer)): return x.item()
    if isinstance(x,dict): return {k:js(v) for k,v in x.items()}
    if isinstance(x,(list,tuple)): return [js(v) for v in x]
    return x
def save(n,d):
    with gzip.GzipFile("gold/"+n+".json.gz","wb",mtime=0) as f: f.write(json.dumps(js(d)).encode())
# blobs: 120 points, 4 dims, 5 blobs + noise
C=r.standard_normal((5,4))*6
P=np.vstack([C[i]+r.standard_normal((20,4))*(0.5+0.3*i) for i in range(5)]+[r.uniform(-12,12,(20,4))]).round(4)
from sklearn.cluster import KMeans, AgglomerativeClustering, DBSCAN, kmeans_plusplus
init=P[[0,1,25,50,75,110]]
km=KMeans(6,init=init,n_init=1,max_iter=300,tol=1e-4,algorithm="lloyd").fit(P)
Q=(P[:30]+0.3).round(4)
best=min((KMeans(6,n_init=1,random_state=s).fit(P).inertia_ for s in range(200)))
save("kmeans",dict(X=P,init=init,labels=km.labels_,centers=km.cluster_centers_,inertia=km.inertia_,n_iter=km.n_iter_,Q=Q,predict=km.predict(Q),transform=km.transform(Q),best_inertia_of_200=best))
from scipy.cluster.hierarchy import linkage, fcluster
from scipy.spatial.distance import pdist, squareform
ag=dict(X=P)
D=squareform(pdist(P))
Dc=1-np.corrcoef(P); Dc=(Dc+Dc.T)/2; np.fill_diagonal(Dc,0)
ag["cosine_like"]=Dc
for l in ("ward","average","complete","single"):
    Z=linkage(P,l); e=dict(merges=Z)
    for k in (1,2,5,13,120): e["labels_%d"%k]=AgglomerativeClustering(k,linkage=l).fit_predict(P)
    if l!="ward":
        e["precomputed_merges"]=linkage(squareform(Dc,checks=False),l)
        for k in (2,7): e["precomputed_labels_%d"%k]=AgglomerativeClustering(k,linkage=l,metric="precomputed").fit_predict(Dc)
    ag[l]=e
save("agglomerative",ag)
db=dict(X=P,cases=[])
for eps,m in ((0.5,2),(1.0,3),(1.5,5),(2.0,5),(3.0,4),(6.0,10),(0.01,1),(0.01,2),(100,5)):
    d=DBSCAN(eps=eps,min_samples=m).fit(P); db["cases"].append(dict(eps=eps,min_samples=m,labels=d.labels_,core=d.core_sample_indices_))
# border ties and exact distances on a grid
G=np.array([[i,j] for i in range(7) for j in range(6)],float)
db["grid"]=G; db["grid_cases"]=[]
for eps,m in ((1.0,5),(1.0,4),(1.0,3),(0.999,2),(np.sqrt(2.0),9)):
    d=DBSCAN(eps=eps,min_samples=m).fit(G); db["grid_cases"].append(dict(eps=eps,min_samples=m,labels=d.labels_,core=d.core_sample_indices_))
save("dbscan",db)
from sklearn.decomposition import IncrementalPCA
X=(r.standard_normal((230,6))@r.standard_normal((6,12))+0.2*r.standard_normal((230,12))+r.standard_normal(12)*3).round(5)
ip=dict(X=X,cases=[])
for k,b in ((4,50),(4,None),(2,12),(7,115)):
    m=IncrementalPCA(k,batch_size=b).fit(X)
    ip["cases"].append(dict(k=k,batch=b or 0,mean=m.mean_,components=m.components_,singular_values=m.singular_values_,explained_variance=m.explained_variance_,ratio=m.explained_variance_ratio_,out=m.transform(X)))
save("incremental_pca",ip)
# quality
from sklearn.metrics import adjusted_rand_score as ari, normalized_mutual_info_score as nmi, adjusted_mutual_info_score as ami, silhouette_score, v_measure_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.model_selection import cross_val_score, StratifiedKFold
from sklearn.manifold import trustworthiness
lab=np.repeat(np.arange(6),20); perm=r.permutation(120); Pq=P[perm]; lq=lab[perm]
q=dict(X=Pq,labels=lq,agreement=[])
pairs=[(lq,km.labels_[perm]),([0,0,1,1],[0,0,1,1]),([0,0,1,1],[1,1,0,0]),([0,0,0,0],[0,0,0,0]),([0,1,2,3],[0,1,2,3]),([0,0,0,0],[0,1,2,3]),([0,1,2,3],[0,0,0,0]),([0,0,1,1],[0,1,0,1]),([0],[0]),([-1,-1,0,0,1],[-1,0,0,1,1]),(r.integers(0,30,500) if hasattr(r,'integers') else r.randint(0,30,500),r.randint(-1,20,500)),(r.randint(0,2,60),r.randint(0,40,60))]
for a,b in pairs: q["agreement"].append(dict(a=a,b=b,ari=ari(a,b),nmi=nmi(a,b),ami=ami(a,b)))
Y=Pq[:,:2]
q["trust"]=[dict(k=k,metric=m,value=trustworthiness(Pq,Y,n_neighbors=k,metric=m)) for k in (1,5,15,59) for m in ("euclidean","cosine")]
q["knn"]=[dict(k=k,metric=m,folds=cross_val_score(KNeighborsClassifier(k,metric=m),Z,lq,cv=5)) for k in (1,5,15) for m in ("euclidean","cosine") for Z in (Pq,)]
lu=np.array([0]*7+[1]*13+[2]*5+[3]*31+[4]*64); lu=lu[r.permutation(120)]
q["folds_labels"]=lu; f=np.zeros(120,int)
for i,(a,b) in enumerate(StratifiedKFold(5).split(Pq,lu)): f[b]=i
q["folds"]=f; q["knn_uneven"]=cross_val_score(KNeighborsClassifier(15),Pq,lu,cv=5)
q["silhouette"]=[dict(labels=lq,value=silhouette_score(Pq,lq))]
from hdbscan.validity import validity_index
q["dbcv"]=[]
for name,l in (("blobs",lq),("kmeans",km.labels_[perm]),("noise",np.where(lq==5,-1,lq)),("dbscan",DBSCAN(eps=2.0,min_samples=5).fit_predict(Pq))):
    v,pc=validity_index(Pq.copy(),l.astype(np.intp),per_cluster_scores=True); q["dbcv"].append(dict(name=name,labels=l,value=v,per_cluster=pc))
save("quality",q)
# NPMI
from gensim.models.coherencemodel import CoherenceModel
from gensim.corpora import Dictionary
words=["w%d"%i for i in range(60)]
z=1/np.arange(1,61); docs=[]
for i in range(150):
    t=i%5; p=z.copy(); p[t*10+5:t*10+15]*=8; p/=p.sum()
    docs.append([words[j] for j in r.choice(60,size=[0,1,3,9,10,11,25,40][i%8],p=p)])
docs+= [["zz%d"%i for i in range(12)], ["yy"]]
tops=[[words[t*10+5+j] for j in range(10)] for t in range(5)]+[["w0","w59","w58","w57","zz3","zz4","zz11","w1","w2","w3"]]
di=Dictionary(docs); n=dict(docs=docs,topics=tops)
for c,kw in (("c_npmi",dict()),("c_v",dict()),("c_uci",dict())):
    m=CoherenceModel(topics=tops,texts=docs,dictionary=di,coherence=c,topn=10,processes=1,**kw); n[c]=dict(per_topic=m.get_coherence_per_topic(),value=m.get_coherence())
m=CoherenceModel(topics=tops,texts=docs,dictionary=di,coherence="c_npmi",topn=5,processes=1,window_size=4); n["c_npmi_4_top5"]=dict(per_topic=m.get_coherence_per_topic(),value=m.get_coherence())
m=CoherenceModel(topics=tops,texts=docs,dictionary=di,coherence="c_npmi",topn=10,processes=1,window_size=1000); n["c_npmi_doc"]=dict(per_topic=m.get_coherence_per_topic(),value=m.get_coherence())
save("npmi",n)
